package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkAttributes.Attribute;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import dev.caisson.network.nft.Batch.Hook;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Finds chains that let pass only what a rule of theirs accepts, and in which no rule speaks of our links:
/// whatever our own tables accept, such a chain has the last word.
public final class ClosedChains {
    /// A chain at a hook.
    ///
    /// @param family as nft(8) writes it, `ip`
    public record ClosedChain(String family, String table, String name) {}

    private static final int DROP = 0;
    private static final int JUMP = -3;
    private static final int GO = -4;
    /// Expressions that decide nothing about whether a rule is for a packet.
    private static final Set<String> UNCONDITIONAL = Set.of("counter", "log", "immediate", "reject");

    private final NetlinkSocket socket;
    private final String own;
    private final byte[] links;

    /// @param own name of our tables, which are left out
    /// @param links what the names of our links begin with
    public ClosedChains(NetlinkSocket socket, String own, String links) {
        this.socket = socket;
        this.own = own;
        this.links = links.getBytes(StandardCharsets.UTF_8);
    }

    private record Rule(String chain, List<NetlinkAttributes> expressions) {}

    /// Returns those at a hook, of the families of IP.
    public List<ClosedChain> at(Hook hook) {
        var found = new ArrayList<ClosedChain>();
        var request = new NetlinkWriter();
        TableQueries.request(request, TableQueries.GET_CHAIN, NetlinkWriter.DUMP, 0)
                .end();
        for (NetlinkMessage message : socket.dump("the list of chains", request)) {
            NetlinkAttributes chain = message.attributes(TableQueries.HEADER);
            Optional<String> family = family(message.u8(0));
            if (family.isPresent() && isFilterAt(chain, hook)) {
                String table = chain.string(1).orElse("");
                String name = chain.string(3).orElse("");
                boolean drops = chain.big32(5).filter(policy -> policy == DROP).isPresent();
                if (!table.equals(own) && isClosed(message.u8(0), table, name, drops)) {
                    found.add(new ClosedChain(family.get(), table, name));
                }
            }
        }
        return found;
    }

    private static boolean isFilterAt(NetlinkAttributes chain, Hook hook) {
        return chain.string(7).equals(Optional.of("filter"))
                && chain.nested(4)
                        .flatMap(part -> part.big32(1))
                        .filter(where -> where == hook.number())
                        .isPresent();
    }

    private static Optional<String> family(int number) {
        return switch (number) {
            case 1 -> Optional.of("inet");
            case 2 -> Optional.of("ip");
            case 10 -> Optional.of("ip6");
            default -> Optional.empty();
        };
    }

    private boolean isClosed(int family, String table, String chain, boolean drops) {
        Map<String, List<Rule>> rules = new HashMap<>();
        var request = new NetlinkWriter();
        TableQueries.request(request, TableQueries.GET_RULE, NetlinkWriter.DUMP, family)
                .string(1, table)
                .end();
        for (NetlinkMessage message : socket.dump("the list of rules", request)) {
            NetlinkAttributes rule = message.attributes(TableQueries.HEADER);
            if (rule.string(1).equals(Optional.of(table))) {
                String of = rule.string(2).orElse("");
                rules.computeIfAbsent(of, _ -> new ArrayList<>()).add(new Rule(of, expressions(rule)));
            }
        }
        List<Rule> all = rules.getOrDefault(chain, List.of());
        boolean closed = drops || (!all.isEmpty() && refusesAll(all.getLast()));
        return closed && !speaksOfUs(chain, rules, new HashSet<>());
    }

    private static List<NetlinkAttributes> expressions(NetlinkAttributes rule) {
        return rule.nested(4).map(NetlinkAttributes::all).orElse(List.of()).stream()
                .map(Attribute::nested)
                .toList();
    }

    private static boolean refusesAll(Rule rule) {
        return rule.expressions().stream()
                        .allMatch(one -> UNCONDITIONAL.contains(one.string(1).orElse("")))
                && rule.expressions().stream()
                        .anyMatch(one -> one.string(1).equals(Optional.of("reject"))
                                || verdict(one).filter(code -> code == DROP).isPresent());
    }

    /// Returns what an expression decides; negative numbers lead to other chains.
    private static Optional<Integer> verdict(NetlinkAttributes expression) {
        return verdictPart(expression).flatMap(part -> part.big32(1));
    }

    private static Optional<NetlinkAttributes> verdictPart(NetlinkAttributes expression) {
        return expression
                .nested(2)
                .filter(_ -> expression.string(1).equals(Optional.of("immediate")))
                .flatMap(part -> part.nested(2))
                .flatMap(part -> part.nested(2));
    }

    /// True if a rule that packets come to compares something with the name of our links, and does not drop.
    private boolean speaksOfUs(String chain, Map<String, List<Rule>> rules, Set<String> seen) {
        if (!seen.add(chain)) {
            return false;
        }
        for (Rule rule : rules.getOrDefault(chain, List.of())) {
            if (rule.expressions().stream().anyMatch(this::isNameOfOurs)
                    && rule.expressions().stream()
                            .anyMatch(one ->
                                    verdict(one).filter(code -> code != DROP).isPresent())) {
                return true;
            }
            for (NetlinkAttributes expression : rule.expressions()) {
                Optional<String> next = verdict(expression)
                        .filter(code -> code == JUMP || code == GO)
                        .flatMap(_ -> verdictPart(expression))
                        .flatMap(part -> part.string(2));
                if (next.isPresent() && speaksOfUs(next.get(), rules, seen)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isNameOfOurs(NetlinkAttributes expression) {
        return expression.string(1).equals(Optional.of("cmp"))
                && expression
                        .nested(2)
                        .flatMap(part -> part.nested(3))
                        .flatMap(part -> part.find(1))
                        .filter(value -> value.length >= links.length
                                && Arrays.equals(links, Arrays.copyOf(value, links.length)))
                        .isPresent();
    }
}
