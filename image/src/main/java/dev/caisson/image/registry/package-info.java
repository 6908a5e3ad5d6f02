/// The HTTP side of a registry: where a name is answered, who asks, and what comes back, as bytes that nobody has
/// checked yet. Knows nothing of images.
@NullMarked
package dev.caisson.image.registry;

import org.jspecify.annotations.NullMarked;
