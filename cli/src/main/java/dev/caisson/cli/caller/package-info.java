/// The caller of a command: streams, variables, directory, terminal, signals and engine, as this process has
/// them or as a front end passes them on; and how a command reports its failure. Every other package uses it,
/// and it uses none of them.
@NullMarked
package dev.caisson.cli.caller;

import org.jspecify.annotations.NullMarked;
