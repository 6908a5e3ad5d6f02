/// Commands that make a container or run a program in one: run, create, exec, plan; and what follows a program to its
/// end.
@NullMarked
package dev.caisson.cli.run;

import org.jspecify.annotations.NullMarked;
