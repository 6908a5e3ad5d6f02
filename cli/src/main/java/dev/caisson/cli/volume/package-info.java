/// The commands for volumes.
@NullMarked
package dev.caisson.cli.volume;

import org.jspecify.annotations.NullMarked;
