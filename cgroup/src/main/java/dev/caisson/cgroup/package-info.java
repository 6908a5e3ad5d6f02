/// Limits, sizes and what a group has used.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.cgroup;

import org.jspecify.annotations.NullMarked;
