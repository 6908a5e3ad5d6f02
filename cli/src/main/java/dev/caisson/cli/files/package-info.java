/// Commands for the files of containers: cp and diff.
@NullMarked
package dev.caisson.cli.files;

import org.jspecify.annotations.NullMarked;
