package dev.caisson.network;

import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.filter.Tables;
import dev.caisson.network.nft.TableQueries;

/// Tells whether our rules are as they were made. The kernel counts the changes of the packet filter by anybody: as
/// long as all of them were ours, the rules are not read again.
final class RulesWatch {
    private final NetlinkSocket filter;
    private final Tables tables;
    private final NetworkRecords records;
    private boolean seen;
    private int seenAt;

    RulesWatch(NetlinkSocket filter, Tables tables, NetworkRecords records) {
        this.filter = filter;
        this.tables = tables;
        this.records = records;
    }

    /// True if both tables are there, of this version, and each chain has the rules that it was made with.
    boolean areWhole() {
        int now = TableQueries.generation(filter);
        if (seen && now == seenAt) {
            return true;
        }
        seen = tables.areThere(filter) && tables.fingerprints(filter).equals(records.rules());
        seenAt = now; // of before, so that what happens meanwhile is read the next time
        return seen;
    }

    /// Carries out a change of ours, which touches no rule.
    void change(Runnable change) {
        boolean whole = seen && TableQueries.generation(filter) == seenAt;
        try {
            change.run();
        } catch (NetlinkException e) {
            seen = false;
            throw e;
        }
        int after = TableQueries.generation(filter);
        seen = whole && (after == seenAt || after == seenAt + 1);
        seenAt = after;
    }
}
