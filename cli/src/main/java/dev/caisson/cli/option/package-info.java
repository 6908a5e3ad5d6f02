/// Groups of options that several commands share, with Docker's names, and what they are translated to.
@NullMarked
package dev.caisson.cli.option;

import org.jspecify.annotations.NullMarked;
