package dev.caisson.network.filter;

import static dev.caisson.network.filter.Match.IPV4;
import static dev.caisson.network.filter.Match.IPV6;
import static dev.caisson.network.filter.Match.family;
import static dev.caisson.network.filter.Match.fromAndTo;
import static dev.caisson.network.filter.Match.name;
import static dev.caisson.network.filter.Match.rule;
import static dev.caisson.network.filter.Match.then;

import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.Expression;
import dev.caisson.network.nft.Expressions;
import dev.caisson.network.nft.Expressions.Header;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The rules for containers that reach named destinations alone: what is not one of them is counted, reported and
/// dropped. A destination is what the container has sent to, also if the host leads that elsewhere.
final class EgressRules {
    /// Of the words that a report begins with, which the group may share with others.
    static final String PREFIX = " egress";

    private static final int REPORTED_BYTES = 96;
    private static final int REPORTS_PER_SECOND = 10;
    private static final int REPORTS_AT_ONCE = 20;
    private static final int IPV4_SOURCE = 12;
    private static final int IPV6_SOURCE = 8;
    private static final String CHAIN = "egress";
    private static final String CHAIN6 = "egress6";

    private final Batch batch;
    private final String table;
    private final OptionalInt group;

    /// @param group of nfnetlink_log that denials are reported to; empty for a kernel without it
    EgressRules(Batch batch, String table, OptionalInt group) {
        this.batch = batch;
        this.table = table;
        this.group = group;
    }

    void write() {
        write(CHAIN, source(), target(), Sets.REACHED, Sets.REACHED_RANGES, Sets.TOLD, Sets.DENIED);
        write(CHAIN6, source6(), target6(), Sets.REACHED6, Sets.REACHED_RANGES6, Sets.TOLD6, Sets.DENIED6);
    }

    private void write(
            String chain,
            List<Expression> source,
            List<Expression> target,
            Sets.Place reached,
            Sets.Place ranges,
            Sets.Place told,
            Sets.Place denied) {
        batch.chain(Family.INET, table, chain);
        add(chain, fromAndTo(Sets.SAME), then(Expressions.back()));
        add(chain, target, then(Expressions.inSet(0, name(reached))), then(Expressions.back()));
        add(chain, target, then(Expressions.inSet(0, name(ranges))), then(Expressions.back()));
        if (group.isPresent()) {
            add(
                    chain,
                    source,
                    then(Expressions.limitEach(0, name(told), REPORTS_PER_SECOND, REPORTS_AT_ONCE)),
                    then(Expressions.log(group.getAsInt(), table + PREFIX, REPORTED_BYTES)));
        }
        add(chain, source, then(Expressions.inSet(0, name(denied))), then(Expressions.drop()));
        add(chain, then(Expressions.drop()));
    }

    /// Sends new connections of limited containers through these rules, and comes back with those that may go on.
    List<List<Expression>> calls() {
        return List.of(
                rule(
                        family(IPV4),
                        source(),
                        then(Expressions.inSet(0, name(Sets.LIMITED))),
                        then(Expressions.jump(CHAIN))),
                rule(
                        family(IPV6),
                        source6(),
                        then(Expressions.inSet(0, name(Sets.LIMITED6))),
                        then(Expressions.jump(CHAIN6))));
    }

    private static List<Expression> source() {
        return List.of(Expressions.payload(Header.NETWORK, IPV4_SOURCE, 4, 0));
    }

    private static List<Expression> source6() {
        return List.of(Expressions.payload(Header.NETWORK, IPV6_SOURCE, 16, 0));
    }

    /// Reads the key of [Sets#REACHED].
    static List<Expression> target() {
        var target = new ArrayList<>(source());
        target.add(Expressions.connectionTarget(1));
        target.add(Expressions.connectionProtocol(2));
        target.add(Expressions.connectionPort(3));
        return target;
    }

    private static List<Expression> target6() {
        var target = new ArrayList<>(source6());
        target.add(Expressions.connectionTarget6(4));
        target.add(Expressions.connectionProtocol(8));
        target.add(Expressions.connectionPort(9));
        return target;
    }

    @SafeVarargs
    private void add(String chain, List<Expression>... parts) {
        batch.rule(Family.INET, table, chain, rule(parts));
    }
}
