/// The resident engine's side of the front end's protocol (native/front.h): who connects, what they ask for, and what
/// they hold. It knows no command.
@NullMarked
package dev.caisson.cli.front;

import org.jspecify.annotations.NullMarked;
