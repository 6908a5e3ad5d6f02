/// The commands for workspaces.
@NullMarked
package dev.caisson.cli.workspace;

import org.jspecify.annotations.NullMarked;
