package dev.caisson.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Three networks with four containers on each, one container in the host's network, the host and a neighbor of its
/// LAN: who of them reaches whom, by which address and how. The expectation is Docker's.
final class ReachCells {
    static final String HOST = "host";
    static final String NEIGHBOR = "neighbor";
    /// Port at which guests and the neighbor serve.
    static final String SERVED = "7000";
    /// Port of a service of the host.
    static final String SERVICE = "7200";

    static final String OPEN = "open";
    /// Its containers do not reach each other.
    static final String APART = "apart";
    /// It has no way out.
    static final String INSIDE = "inside";

    static final List<String> NETWORKS = List.of(OPEN, APART, INSIDE);

    private ReachCells() {}

    /// Addresses of the LAN.
    static final class Lan {
        static final String HOST4 = "192.0.2.1";
        static final String HOST6 = "2001:db8::1";
        static final String NEIGHBOR4 = "192.0.2.2";
        static final String NEIGHBOR6 = "2001:db8::2";

        private Lan() {}
    }

    /// @param networks the first has the default route; none for the host's
    /// @param published port of the host that leads to it
    /// @param linked guest that it is linked to
    record Guest(String name, List<String> networks, String port, Optional<String> published, Optional<String> linked) {
        private static Guest on(String name, String... networks) {
            return new Guest(name, List.of(networks), SERVED, Optional.empty(), Optional.empty());
        }

        private Guest publishedAt(String hostPort) {
            return new Guest(name, networks, port, Optional.of(hostPort), linked);
        }

        private Guest linkedTo(String other) {
            return new Guest(name, networks, port, published, Optional.of(other));
        }

        boolean inHostNetwork() {
            return networks.isEmpty();
        }

        /// True if its packets leave the networks that it is on.
        boolean hasWayOut() {
            return !networks.equals(List.of(INSIDE));
        }
    }

    static final List<Guest> GUESTS = List.of(
            Guest.on("web", OPEN).publishedAt("8080"),
            Guest.on("shop", OPEN),
            Guest.on("twin", OPEN, INSIDE),
            Guest.on("edge", APART, OPEN),
            Guest.on("db", APART),
            Guest.on("front", APART).publishedAt("8081").linkedTo("db"),
            Guest.on("other", APART),
            Guest.on("one", INSIDE),
            Guest.on("two", INSIDE),
            Guest.on("three", INSIDE),
            new Guest("stack", List.of(), "7100", Optional.empty(), Optional.empty()));

    static Guest guest(String name) {
        return GUESTS.stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    static boolean isPublished(String hostPort) {
        return published(hostPort).isPresent();
    }

    /// Returns the guest that a port of the host leads to.
    static Optional<Guest> published(String hostPort) {
        return GUESTS.stream()
                .filter(one -> one.published().equals(Optional.of(hostPort)))
                .findFirst();
    }

    enum Kind {
        PING,
        UDP,
        TCP
    }

    /// Whose address is asked.
    sealed interface Target {
        String label();
    }

    record GuestAt(String guest, String network) implements Target {
        @Override
        public String label() {
            return guest + "@" + network;
        }
    }

    /// The host, by its address on the LAN, on a network or on loopback.
    ///
    /// @param where `lan`, `loopback` or a network
    record HostAt(String where, String port) implements Target {
        @Override
        public String label() {
            return "host@" + where + ":" + port;
        }
    }

    record NeighborAt() implements Target {
        @Override
        public String label() {
            return NEIGHBOR;
        }
    }

    /// One question: who asks, whom, how, by which family.
    record Cell(String from, Target to, Kind kind, int family) {
        @Override
        public String toString() {
            return from + " to " + to.label() + " by " + kind + family;
        }
    }

    static List<String> askers() {
        var all = new ArrayList<>(GUESTS.stream().map(Guest::name).toList());
        all.add(HOST);
        all.add(NEIGHBOR);
        return all;
    }

    static List<Cell> all() {
        var cells = new ArrayList<Cell>();
        for (String from : askers()) {
            for (Target to : targets(from)) {
                for (Kind kind : Kind.values()) {
                    boolean once = !(to instanceof HostAt host) || host.port().equals(SERVICE);
                    if (kind != Kind.PING || once) { // an address is pinged once, whatever its ports are
                        cells.add(new Cell(from, to, kind, 4));
                        cells.add(new Cell(from, to, kind, 6));
                    }
                }
            }
        }
        return cells;
    }

    private static List<Target> targets(String from) {
        var targets = new ArrayList<Target>();
        for (Guest guest : GUESTS) {
            guest.networks().forEach(network -> targets.add(new GuestAt(guest.name(), network)));
        }
        var wheres = new ArrayList<>(NETWORKS);
        wheres.add("lan");
        if (from.equals(HOST) || from.equals("stack")) {
            wheres.add("loopback");
        }
        for (String where : wheres) {
            for (String port : List.of(SERVICE, guest("stack").port(), "8080", "8081")) {
                targets.add(new HostAt(where, port));
            }
        }
        if (!from.equals(NEIGHBOR)) {
            targets.add(new NeighborAt());
        }
        return targets;
    }

    /// Returns who answers, nobody if the cell is closed.
    static Optional<String> expected(Cell cell) {
        return switch (cell.to()) {
            case GuestAt to -> reaches(cell, to) ? Optional.of(to.guest()) : Optional.empty();
            case HostAt to -> host(cell, to);
            case NeighborAt _ ->
                cell.from().equals(HOST) || guest(cell.from()).hasWayOut() ? Optional.of(NEIGHBOR) : Optional.empty();
        };
    }

    private static boolean isHost(String from) {
        return from.equals(HOST) || (!from.equals(NEIGHBOR) && guest(from).inHostNetwork());
    }

    private static boolean reaches(Cell cell, GuestAt to) {
        if (isHost(cell.from()) || cell.from().equals(to.guest())) {
            return true;
        }
        if (cell.from().equals(NEIGHBOR)) { // routed to the container's own address
            return guest(to.guest()).published().isPresent() && cell.kind() != Kind.PING;
        }
        Guest from = guest(cell.from());
        if (!from.networks().contains(to.network())) {
            return false;
        }
        return !to.network().equals(APART)
                || (from.linked().equals(Optional.of(to.guest())) && cell.family() == 4 && cell.kind() != Kind.PING);
    }

    private static Optional<String> host(Cell cell, HostAt to) {
        Optional<Guest> published = published(to.port());
        boolean local = isHost(cell.from());
        if (published.isEmpty()) {
            boolean routed = local
                    || cell.from().equals(NEIGHBOR)
                    || guest(cell.from()).hasWayOut()
                    || to.where().equals(INSIDE);
            return routed ? Optional.of(to.port().equals(SERVICE) ? HOST : "stack") : Optional.empty();
        }
        // an internal network leads to no port of another one
        boolean led = local
                || cell.from().equals(NEIGHBOR)
                || (guest(cell.from()).hasWayOut()
                        && !(to.where().equals(INSIDE)
                                && guest(cell.from()).networks().contains(INSIDE)));
        return led ? published.map(Guest::name) : Optional.empty();
    }
}
