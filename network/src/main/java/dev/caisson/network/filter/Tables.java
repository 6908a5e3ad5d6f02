package dev.caisson.network.filter;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.TableQueries;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Our two tables, one for packets and one for frames of bridges. Both are made and removed together.
public final class Tables {
    /// Connections that a container may have begun at a time, through the host; the kernel counts 262,144 of all by
    /// default.
    public static final int MOST_CONNECTIONS = 4096;

    /// Changes with the rules, so that those of another version are replaced.
    private static final String COMMENT = "networks of Caisson, rules 1";

    private static final List<Family> FAMILIES = List.of(Family.INET, Family.BRIDGE);

    private final String name;

    /// @param name of both tables
    public Tables(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    /// True if both are there with the rules of this version.
    public boolean areThere(NetlinkSocket socket) {
        return FAMILIES.stream()
                .allMatch(family -> TableQueries.comment(socket, family, name).equals(Optional.of(COMMENT)));
    }

    /// Makes both anew with these elements, in one transaction: what is there of that name goes.
    public void replace(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        var batch = new Batch();
        delete(batch);
        for (Family family : FAMILIES) {
            batch.table(family, name, COMMENT);
        }
        for (Sets.Place place : Sets.all()) {
            batch.set(place.family(), name, place.form());
        }
        new InetRules(batch, name, MOST_CONNECTIONS).write();
        new BridgeRules(batch, name).write();
        add(batch, elements);
        batch.commit(socket, "the packet filter's tables " + name);
    }

    /// A table is made first, so that there is one to be deleted.
    private void delete(Batch batch) {
        for (Family family : FAMILIES) {
            batch.table(family, name).deleteTable(family, name);
        }
    }

    public void remove(NetlinkSocket socket) {
        var batch = new Batch();
        delete(batch);
        batch.commit(socket, "the removal of the packet filter's tables " + name);
    }

    /// Adds elements in one transaction; those that are there stay.
    public void add(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        var batch = new Batch();
        add(batch, elements);
        batch.commit(socket, "elements of the packet filter's tables " + name);
    }

    private void add(Batch batch, Map<Sets.Place, List<SetElement>> elements) {
        elements.forEach((place, list) -> batch.add(place.family(), name, place.form(), list));
    }

    /// Removes elements, each of which is there, in one transaction.
    public void remove(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        var batch = new Batch();
        elements.forEach((place, list) -> batch.remove(place.family(), name, place.form(), list));
        batch.commit(socket, "the removal of elements of the packet filter's tables " + name);
    }
}
