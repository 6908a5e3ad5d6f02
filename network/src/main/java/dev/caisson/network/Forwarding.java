package dev.caisson.network;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.route.RouteQueries;
import dev.caisson.network.route.RouteQueries.Link;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Has the host forward packets, which networks need that lead out, and gives it up again.
final class Forwarding {
    /// What was changed for our sake since this boot.
    ///
    /// @param boot names the boot; settings of another one are gone
    /// @param routerAdvertisements interfaces that would have stopped to take router advertisements
    /// @param bridges of others that were there: who makes one later, as another engine of containers does, finds
    ///     forwarding on and relies on it
    record Changed(String boot, boolean four, boolean six, List<String> routerAdvertisements, List<String> bridges) {
        Changed {
            routerAdvertisements = List.copyOf(routerAdvertisements);
            bridges = List.copyOf(bridges);
        }

        static Changed nothing(String boot) {
            return new Changed(boot, false, false, List.of(), List.of());
        }
    }

    private static final String FOUR = "ipv4/ip_forward";
    private static final String SIX = "ipv6/conf/all/forwarding";

    private Forwarding() {}

    static String boot() {
        try (Fd file = FileSystem.open("/proc/sys/kernel/random/boot_id", FileSystem.O_RDONLY)) {
            return ByteText.of(FileSystem.read(file, 64)).strip();
        }
    }

    /// True if the host has IPv6 at all: without the kernel's part for it, or with `ipv6.disable=1`, there is no
    /// setting of it.
    static boolean hasIpv6() {
        return Sysctl.read(SIX).isPresent();
    }

    static boolean isOn(boolean six) {
        return isOn(six ? SIX : FOUR);
    }

    /// Returns what will have been changed once a family is forwarded, which it is not.
    static Changed planned(Changed before, boolean six, NetlinkSocket socket) {
        return new Changed(
                before.boot(),
                before.four() || !six,
                before.six() || six,
                six ? takers(socket) : before.routerAdvertisements(),
                before.four() || before.six() ? before.bridges() : bridges(socket));
    }

    private static List<String> bridges(NetlinkSocket socket) {
        return RouteQueries.links(socket).stream()
                .filter(link -> link.kind().equals("bridge"))
                .map(Link::name)
                .toList();
    }

    private static boolean isOn(String setting) {
        return Sysctl.read(setting).filter(value -> !value.equals("0")).isPresent();
    }

    /// An interface of a host that forwards takes router advertisements only if told so with 2, ip-sysctl of Linux.
    private static List<String> takers(NetlinkSocket socket) {
        var found = new ArrayList<String>();
        for (Link link : RouteQueries.links(socket)) {
            if (Sysctl.read(acceptance(link.name())).equals(Optional.of("1"))) {
                found.add(link.name());
            }
        }
        return found;
    }

    private static String acceptance(String link) {
        return "ipv6/conf/" + link + "/accept_ra";
    }

    /// Turns forwarding on; what it was before is recorded by then.
    static void turnOn(Changed changed, boolean six) {
        if (six && !isOn(SIX)) {
            changed.routerAdvertisements().forEach(link -> Sysctl.set(acceptance(link), "2"));
            Sysctl.write(SIX, "1");
        } else if (!six && !isOn(FOUR)) {
            Sysctl.write(FOUR, "1");
        }
    }

    /// Turns off what was turned on.
    static void undo(Changed changed) {
        if (changed.four()) {
            Sysctl.set(FOUR, "0");
        }
        if (changed.six()) {
            Sysctl.set(SIX, "0");
            for (String link : changed.routerAdvertisements()) {
                if (Sysctl.read(acceptance(link)).equals(Optional.of("2"))) {
                    Sysctl.write(acceptance(link), "1");
                }
            }
        }
    }
}
