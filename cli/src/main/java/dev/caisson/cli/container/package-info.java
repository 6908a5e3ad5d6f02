/// Commands that act on containers that exist: start, stop, kill, restart, pause, rename, update, rm, prune, up.
@NullMarked
package dev.caisson.cli.container;

import org.jspecify.annotations.NullMarked;
