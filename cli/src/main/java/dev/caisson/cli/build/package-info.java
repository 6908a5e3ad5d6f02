/// The command that builds images.
@NullMarked
package dev.caisson.cli.build;

import org.jspecify.annotations.NullMarked;
