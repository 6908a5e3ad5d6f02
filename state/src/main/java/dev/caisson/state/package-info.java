/// State of containers on disk: who runs what, names, groups, writable layers, logs and how each ended.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.state;

import org.jspecify.annotations.NullMarked;
