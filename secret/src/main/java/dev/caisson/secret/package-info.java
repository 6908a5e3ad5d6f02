/// Secrets of programs: an encrypted store of age files, versions, expiry and a log of accesses.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.secret;

import org.jspecify.annotations.NullMarked;
