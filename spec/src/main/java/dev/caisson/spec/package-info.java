/// What is wanted of a container, and what one has used.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.spec;

import org.jspecify.annotations.NullMarked;
