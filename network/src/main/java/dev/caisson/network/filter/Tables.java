package dev.caisson.network.filter;

import dev.caisson.linux.Errno;
import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Batch;
import dev.caisson.network.nft.Batch.Family;
import dev.caisson.network.nft.SetElement;
import dev.caisson.network.nft.SetForm;
import dev.caisson.network.nft.TableQueries;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Our two tables, one for packets and one for frames of bridges. Both are made and removed together.
public final class Tables {
    /// Connections that a container may have begun at a time, through the host; the kernel counts 262,144 of all by
    /// default.
    public static final int MOST_CONNECTIONS = 4096;

    /// Says for how long connections of TCP that containers have begun are kept once they are closed.
    static final String CLOSED = "closed";

    private static final int CLOSED_SECONDS = 10;
    private static final int FIRST_GROUP = 0x4000;
    private static final int GROUP_DIGITS = 3;
    private static final List<Family> FAMILIES = List.of(Family.INET, Family.BRIDGE);

    private final String name;

    /// @param name of both tables
    public Tables(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    /// The comment of both, which changes with the sets and rules, so that those of another version are replaced.
    private static final class Version {
        private static final int DIGITS = 16;
        static final String COMMENT = "networks of Caisson, rules " + digest();

        private static String digest() {
            var batch = new Batch();
            write(batch, "caisson-000", OptionalInt.of(FIRST_GROUP), true);
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(batch.toBytes());
                return HexFormat.of().formatHex(digest).substring(0, DIGITS);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e); // every JVM has it
            }
        }
    }

    /// True if both are there with the rules of this version.
    public boolean areThere(NetlinkSocket socket) {
        return FAMILIES.stream()
                .allMatch(family -> TableQueries.comment(socket, family, name).equals(Optional.of(Version.COMMENT)));
    }

    /// Returns what stands for all chains of both as the kernel has them, by names as `chain leaving of family inet`.
    public Map<String, String> fingerprints(NetlinkSocket socket) {
        var all = new LinkedHashMap<String, String>();
        for (Family family : FAMILIES) {
            String suffix = "of family " + family.name().toLowerCase(Locale.ROOT);
            TableQueries.fingerprints(socket, family, name)
                    .forEach((chain, hash) ->
                            all.put(chain.isEmpty() ? "table " + suffix : "chain " + chain + " " + suffix, hash));
        }
        return all;
    }

    /// Returns the group of nfnetlink_log to which denials are reported, one of its own for each pair of tables.
    public int group() {
        return FIRST_GROUP | Integer.parseUnsignedInt(name.substring(name.length() - GROUP_DIGITS), 16);
    }

    /// Returns what the reports of these tables begin with.
    public String reportPrefix() {
        return name + EgressRules.PREFIX;
    }

    /// Makes both anew with these elements, in one transaction: what is there of that name goes. A kernel without
    /// nfnetlink_log counts denials and reports none; one without timeouts for single connections keeps those that
    /// are closed for as long as others'.
    public void replace(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        OptionalInt group = OptionalInt.of(group());
        if (!hasReplaced(socket, elements, group, true)
                && !hasReplaced(socket, elements, OptionalInt.empty(), true)
                && !hasReplaced(socket, elements, group, false)) {
            replace(socket, elements, OptionalInt.empty(), false);
        }
    }

    /// Returns false if the kernel lacks something.
    private boolean hasReplaced(
            NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements, OptionalInt group, boolean forgetful) {
        try {
            replace(socket, elements, group, forgetful);
            return true;
        } catch (NetlinkException e) {
            if (!e.is(Errno.ENOENT) && !e.is(Errno.EOPNOTSUPP)) {
                throw e;
            }
            return false;
        }
    }

    private void replace(
            NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements, OptionalInt group, boolean forgetful) {
        var batch = new Batch();
        delete(batch);
        for (Family family : FAMILIES) {
            batch.table(family, name, Version.COMMENT);
        }
        write(batch, name, group, forgetful);
        add(batch, elements);
        batch.commit(socket, "the packet filter's tables " + name);
    }

    private static void write(Batch batch, String name, OptionalInt group, boolean forgetful) {
        if (forgetful) {
            batch.closed(Family.INET, name, CLOSED, CLOSED_SECONDS);
        }
        for (Sets.Place place : Sets.all()) {
            batch.set(place.family(), name, place.form());
        }
        new InetRules(batch, name, MOST_CONNECTIONS, forgetful, new EgressRules(batch, name, group)).write();
        new BridgeRules(batch, name).write();
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

    /// Removes elements of which some may not be there, in one transaction; Linux 6.3.
    public void removeIfThere(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        var batch = new Batch();
        elements.forEach((place, list) -> batch.removeIfThere(place.family(), name, place.form(), list));
        batch.commit(socket, "the removal of elements of the packet filter's tables " + name);
    }

    /// Removes elements and adds others, in one transaction. One that is removed and added has the other's time. What
    /// may have gone by itself is added before it is removed, which must find it.
    public void change(
            NetlinkSocket socket, Map<Sets.Place, List<SetElement>> removed, Map<Sets.Place, List<SetElement>> added) {
        var batch = new Batch();
        removed.forEach((place, list) -> {
            if (place.form().use().contains(SetForm.Use.TIMEOUT)) {
                batch.add(place.family(), name, place.form(), list);
            }
            batch.remove(place.family(), name, place.form(), list);
        });
        add(batch, added);
        batch.commit(socket, "a change of elements of the packet filter's tables " + name);
    }

    /// Adds elements in one transaction in place of those with the same keys, so that their time begins anew.
    public void renew(NetlinkSocket socket, Map<Sets.Place, List<SetElement>> elements) {
        var batch = new Batch();
        add(batch, elements);
        elements.forEach((place, list) -> batch.remove(place.family(), name, place.form(), list));
        add(batch, elements);
        batch.commit(socket, "elements of the packet filter's tables " + name);
    }

    /// Returns the elements of a set whose keys begin so.
    ///
    /// The kernel gives an element for its key, or all of a set: so all are read, and others than these are passed
    /// over before anything is made of them.
    ///
    /// @param beginnings of the same length
    public List<TableQueries.Element> elements(NetlinkSocket socket, Sets.Place place, List<byte[]> beginnings) {
        return TableQueries.elements(socket, place.family(), name, place.form(), beginnings);
    }

    /// Returns the elements of a set.
    public List<TableQueries.Element> elements(NetlinkSocket socket, Sets.Place place) {
        return TableQueries.elements(socket, place.family(), name, place.form());
    }
}
