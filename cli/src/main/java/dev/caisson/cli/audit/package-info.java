/// `caisson audit`: the options that name hosts, remote hosts over ssh, and the watch.
@NullMarked
package dev.caisson.cli.audit;

import org.jspecify.annotations.NullMarked;
