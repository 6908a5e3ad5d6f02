/// Images, from a name to a root file system.
///
/// Marked beside the module, for compilers and tools that look at packages alone, such as Kotlin's.
@NullMarked
package dev.caisson.image;

import org.jspecify.annotations.NullMarked;
