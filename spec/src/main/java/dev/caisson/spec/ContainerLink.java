package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;

/// A container that another one reaches by a name of its own choice, Docker's `--link`.
///
/// @param container name or id of the one that is reached
/// @param alias what the other one calls it
public record ContainerLink(String container, String alias) {
    private static final int LONGEST = 63;

    public ContainerLink {
        if (present(container, "container").isEmpty()) {
            throw ArgumentException.invalid("a link names no container: write NAME[:ALIAS]");
        }
        if (present(alias, "alias").length() > LONGEST || !HostNames.isName(alias)) {
            throw ArgumentException.invalid("link alias " + Quoted.of(alias)
                    + " is not a host name: use up to 63 letters, digits, dots, hyphens and underscores");
        }
    }

    /// Reads `NAME[:ALIAS]`; without an alias it is the name.
    public static ContainerLink parse(String text) {
        String[] parts = present(text, "text").split(":", -1);
        if (parts.length > 2 || parts[0].isEmpty()) {
            throw ArgumentException.invalid(Quoted.of(text) + " is not a link: write NAME[:ALIAS], as db:database");
        }
        return new ContainerLink(parts[0], parts[parts.length - 1]);
    }

    /// `db:database`.
    @Override
    public String toString() {
        return container + ":" + alias;
    }
}
