/// The spec of a container, and the usage of one.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.spec;

import org.jspecify.annotations.NullMarked;
