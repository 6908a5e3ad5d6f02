/// The commands for snapshots.
@NullMarked
package dev.caisson.cli.snapshot;

import org.jspecify.annotations.NullMarked;
