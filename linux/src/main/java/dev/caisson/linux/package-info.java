/// The kernel's interface; for Caisson's own modules.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.linux;

import org.jspecify.annotations.NullMarked;
