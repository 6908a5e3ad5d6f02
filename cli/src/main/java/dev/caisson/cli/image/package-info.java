/// Commands for images of the store: fetch, list, name, remove.
@NullMarked
package dev.caisson.cli.image;

import org.jspecify.annotations.NullMarked;
