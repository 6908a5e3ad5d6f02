/// Templates of `--format`: the part of Go's text/template that Docker's users write, and Docker's functions.
@NullMarked
package dev.caisson.cli.template;

import org.jspecify.annotations.NullMarked;
