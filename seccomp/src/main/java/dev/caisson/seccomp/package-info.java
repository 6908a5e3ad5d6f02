/// Profiles of system calls.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.seccomp;

import org.jspecify.annotations.NullMarked;
