/// `caisson network`: networks that containers join.
@NullMarked
package dev.caisson.cli.network;

import org.jspecify.annotations.NullMarked;
