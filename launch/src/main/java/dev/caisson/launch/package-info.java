/// Policy, planning and launch of a container.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.launch;

import org.jspecify.annotations.NullMarked;
