/// The one ancestor of every exception of Caisson.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.error;

import org.jspecify.annotations.NullMarked;
