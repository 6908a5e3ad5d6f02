package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Gate;
import dev.caisson.spec.GateRules;
import dev.caisson.spec.Network;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// `--secret NAME,gate=HOST[:PORT],as=PLACE` of a run: a secret that is put into requests, and that the program never
/// has.
final class GateOptions {
    private static final Set<String> KEYS = Set.of("gate", "as", "method", "path");
    private static final String OPTION = "--secret";
    private static final String FORM = "NAME,gate=HOST[:PORT],as=bearer|basic|basic:USER|header:NAME|query:NAME"
            + "|placeholder:TEXT[@HEADER][,method=METHOD][,path=/PATH/*]";

    private GateOptions() {}

    static boolean isGate(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(word -> word.split("=", 2)[0])
                .anyMatch(KEYS::contains);
    }

    static ContainerSpec apply(ContainerSpec spec, List<String> texts) {
        List<Gate> gates = texts.stream()
                .filter(GateOptions::isGate)
                .map(GateOptions::parse)
                .toList();
        if (gates.isEmpty()) {
            return spec;
        }
        return switch (spec.network()) {
            case Network.None _ ->
                throw CommandException.refused(
                        OPTION + " with gate=",
                        "the container is on no network: give --network, and --egress "
                                + gates.getFirst().target());
            case Network.Host _ ->
                throw CommandException.refused(
                        OPTION + " with gate=",
                        "the container is in the host's network, which has no gates: give --network, and --egress "
                                + gates.getFirst().target());
            case Network.OfContainer other ->
                throw CommandException.refused(
                        OPTION + " with gate=",
                        "the container shares the network of " + other.container() + ": give the gate to that one");
            case Network.Joined joined -> {
                var all = new ArrayList<>(joined.gates());
                all.addAll(gates);
                yield spec.network(joined.gates(all));
            }
        };
    }

    private static Gate parse(String text) {
        String secret = "";
        String host = "";
        String place = "bearer";
        var methods = new ArrayList<String>();
        var paths = new ArrayList<String>();
        for (String word : text.split(",", -1)) {
            int equals = word.indexOf('=');
            String key = equals < 0 ? "source" : word.substring(0, equals);
            String value = word.substring(equals + 1);
            switch (key) {
                case "source", "src" -> secret = value;
                case "gate" -> host = value;
                case "as" -> place = value;
                case "method" -> methods.add(value);
                case "path" -> paths.add(value);
                default ->
                    throw CommandException.refused(
                            OPTION + " with gate= and " + OneLine.of(key) + "=",
                            "a gate's secret is no file: give " + FORM + ", and another --secret for a file");
            }
        }
        if (secret.isEmpty() || host.isEmpty()) {
            throw CommandException.usage(OPTION + " takes " + FORM + ", not '" + OneLine.of(text) + "'");
        }
        return Gate.of(secret).to(host).as(Gate.Place.parse(place)).rules(new GateRules(methods, paths));
    }
}
