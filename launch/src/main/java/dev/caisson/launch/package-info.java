/// What is wanted of a container, and how it is launched.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.launch;

import org.jspecify.annotations.NullMarked;
