/// The engine, its containers and their results.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.engine;

import org.jspecify.annotations.NullMarked;
