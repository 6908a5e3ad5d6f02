/// The system calls of containers and those that their filters deny: filters and their listeners, the watch and the
/// recorder by eBPF, and what is told of a denied call.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.watch;

import org.jspecify.annotations.NullMarked;
