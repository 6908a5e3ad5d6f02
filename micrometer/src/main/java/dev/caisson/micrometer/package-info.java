/// Meters for Micrometer.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.micrometer;

import org.jspecify.annotations.NullMarked;
