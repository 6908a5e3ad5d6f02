package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.spec.Allowance;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// The words of `--allow`: names, and `host-services=PORT[,PORT]`.
///
/// @param given protections that are given up
/// @param services ports of the host that the container is to reach
record Allowances(Set<Allowance> given, List<String> services) {
    private static final String SERVICES = Allowance.HOST_SERVICES.option();

    /// @throws CommandException for what is no allowance
    static Allowances parse(List<String> words) {
        Set<Allowance> given = EnumSet.noneOf(Allowance.class);
        var services = new ArrayList<String>();
        boolean ports = false;
        for (String word : words) {
            if (word.equals(SERVICES)) {
                throw CommandException.refused(
                        "--allow " + SERVICES,
                        "services of the host are opened port by port: write " + SERVICES
                                + "=5432, or 53/udp, or a range");
            }
            boolean first = word.startsWith(SERVICES + "=");
            ports = first || (ports && !word.isEmpty() && Character.isDigit(word.charAt(0)));
            if (ports) {
                given.add(Allowance.HOST_SERVICES);
                services.add(first ? word.substring(SERVICES.length() + 1) : word);
            } else {
                given.add(Allowance.parse(word)
                        .orElseThrow(() ->
                                CommandException.usage("--allow knows no '" + word + "'; see 'caisson run --help'")));
            }
        }
        return new Allowances(given, List.copyOf(services));
    }
}
