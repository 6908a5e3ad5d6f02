package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers find each other by the names that are recorded, and only on their own networks.
@Tag("root")
class NameServiceTest {
    @TempDir
    private Path directory;

    private Bed bed;
    private NameService names;

    @BeforeEach
    void makeAHostWithANetwork() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
        bed.on(all -> all.create(new NetworkSpec("net1", List.of(), false, true, true, 0, Map.of())));
        Path none = Files.createFile(directory.resolve("no-servers"));
        names = bed.host.call(() -> new NameService(directory, none, _ -> {}, Duration.ofSeconds(60)));
    }

    @AfterEach
    void leave() {
        names.close();
        bed.close();
    }

    @Test
    void a_container_pings_another_by_each_of_its_names() {
        Bed.Guest web = guest("Web", "net1", "www", "a.b");
        Bed.Guest db = guest("db", "net1");
        serve(db);
        String address = web.ip4().getHostAddress();

        for (String name :
                List.of("web", "WEB", "www", "a.b", "web.net1", web.id().shortForm())) {
            assertThat(dig(db, name)).as(name).isEqualTo(address);
        }
        assertThat(dig(db, "web AAAA")).isEqualTo(web.ip6().getHostAddress().replaceFirst("(:0)+:", "::"));
        assertThat(dig(db, "-x " + address)).isEqualTo("web.net1.");
        assertThat(dig(db, "db")).isEqualTo(db.ip4().getHostAddress());
        assertThat(db.namespace().sh("""
                own=$(mktemp); trap "rm -f $own" EXIT; echo 'nameserver 127.0.0.11' > $own
                unshare -m bash -c "mount --bind $own /etc/resolv.conf; ping -c 1 -W 5 -4 web; ping -c 1 -W 5 -6 web"
                """))
                .contains("from web.net1 (" + address + ")")
                .doesNotContain("100% packet loss");
    }

    @Test
    void several_containers_may_share_an_alias() {
        Bed.Guest one = guest("one", "net1", "pool");
        Bed.Guest two = guest("two", "net1", "pool");
        serve(one);

        assertThat(dig(one, "pool").lines())
                .containsExactlyInAnyOrder(one.ip4().getHostAddress(), two.ip4().getHostAddress());
    }

    @Test
    void a_renamed_container_is_found_by_its_new_name_and_its_aliases() {
        Bed.Guest web = guest("web", "net1", "www");
        Bed.Guest db = guest("db", "net1");
        serve(db);
        assertThat(dig(db, "web")).isEqualTo(web.ip4().getHostAddress());

        bed.on(all -> {
            all.rename(web.attachments().getFirst().container(), "web", "front");
            return true;
        });

        assertThat(dig(db, "front")).isEqualTo(web.ip4().getHostAddress());
        assertThat(dig(db, "www")).isEqualTo(web.ip4().getHostAddress());
        assertThat(dig(db, "web")).isEmpty();
        assertThat(dig(db, "-x " + web.ip4().getHostAddress())).isEqualTo("front.net1.");
    }

    @Test
    void names_of_other_networks_are_not_known() {
        bed.on(all -> all.create(NetworkSpec.of("net2")));
        Bed.Guest web = guest("web", "net1");
        Bed.Guest stranger = guest("stranger", "net2");
        Bed.Guest both = bed.started(
                ContainerId.random(), attach("both", List.of(NetworkEndpoint.on("net1"), NetworkEndpoint.on("net2"))));
        serve(stranger);
        serve(both);

        assertThat(dig(stranger, "web")).isEmpty();
        assertThat(dig(stranger, web.id().shortForm())).isEmpty();
        assertThat(dig(stranger, "-x " + web.ip4().getHostAddress())).isEmpty();
        assertThat(dig(both, "web")).isEqualTo(web.ip4().getHostAddress());
        assertThat(dig(both, "stranger")).isEqualTo(stranger.ip4().getHostAddress());
    }

    @Test
    void a_container_that_comes_or_goes_is_known_or_not_at_the_next_question() {
        Bed.Guest db = guest("db", "net1");
        serve(db);
        assertThat(dig(db, "late")).isEmpty();

        Bed.Guest late = guest("late", "net1");
        assertThat(dig(db, "late")).isEqualTo(late.ip4().getHostAddress());

        bed.on(all -> {
            all.release(late.id());
            return null;
        });
        assertThat(dig(db, "late")).isEmpty();
    }

    @Test
    void a_process_that_holds_the_records_in_the_middle_of_a_change_keeps_nobody_waiting() {
        Bed.Guest web = guest("web", "net1");
        serve(web);
        Path lock = directory.resolve("lock");
        try (Fd file = FileSystem.open(lock.toString(), FileSystem.O_RDWR)) {
            FileLocks.lock(file);
            var odd = new byte[] {0, 0, 0, 0, 0, 0, 0, 99};
            FileContent.writeAt(file, odd, 0, odd.length, 0);

            assertThat(web.namespace()
                            .sh("dig +time=1 +tries=1 +short @127.0.0.11 web")
                            .strip())
                    .isEqualTo(web.ip4().getHostAddress());
        }
    }

    @Test
    void a_container_of_internal_networks_asks_nobody_outside() {
        bed.on(all -> all.create(new NetworkSpec("inner", List.of(), true, false, true, 0, Map.of())));
        Bed.Guest inner = guest("inner", "inner");
        Bed.Guest outer = guest("outer", "net1");
        serve(inner);
        serve(outer);

        assertThat(inner.namespace().sh("dig @127.0.0.11 example.test")).contains("status: REFUSED");
        assertThat(outer.namespace().sh("dig @127.0.0.11 example.test")).contains("status: SERVFAIL");
    }

    @Test
    void servers_of_the_container_are_asked_in_place_of_the_hosts() throws Exception {
        bed.host.sh("ip addr add 203.0.113.53/32 dev lo");
        Process server = bed.host.call(() -> new ProcessBuilder(
                        "/usr/sbin/dnsmasq",
                        "--keep-in-foreground",
                        "--conf-file=/dev/null",
                        "--no-resolv",
                        "--no-hosts",
                        "--user=root",
                        "--pid-file=",
                        "--bind-interfaces",
                        "--listen-address=203.0.113.53",
                        "--address=/example.test/198.51.100.7")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
        try {
            bed.host.sh("for i in $(seq 100); do ss -Hlnu sport = :53 | grep -q 203.0.113.53 && exit; sleep 0.05;"
                    + " done; exit 1");
            Bed.Guest one = guest("one", "net1");
            serve(one, InetAddress.ofLiteral("203.0.113.53"));

            assertThat(dig(one, "example.test")).isEqualTo("198.51.100.7");
        } finally {
            server.destroyForcibly().waitFor();
        }
    }

    @Test
    void a_link_is_a_name_for_the_one_that_is_linked_alone() {
        Bed.Guest db = guest("db", "net1");
        List<Attachment> places =
                attach("web", List.of(NetworkEndpoint.on("net1").link(ContainerLink.parse("db:Database"))));
        Bed.Guest web = bed.started(places.getFirst().container(), places);
        Bed.Guest other = guest("other", "net1");
        serve(web);
        serve(other);

        assertThat(dig(web, "database")).isEqualTo(db.ip4().getHostAddress());
        assertThat(dig(other, "database")).isEmpty();
    }

    private Bed.Guest guest(String name, String network, String... aliases) {
        var endpoint =
                new NetworkEndpoint(network, Optional.empty(), Optional.empty(), Optional.empty(), List.of(aliases));
        List<Attachment> places = attach(name, List.of(endpoint));
        return bed.started(places.getFirst().container(), places);
    }

    private List<Attachment> attach(String name, List<NetworkEndpoint> endpoints) {
        return bed.on(all -> all.attach(ContainerId.random(), name, endpoints));
    }

    private void serve(Bed.Guest guest, InetAddress... servers) {
        Bed.serve(names, guest, servers);
    }

    private static String dig(Bed.Guest guest, String what) {
        return guest.namespace().sh("dig +short @127.0.0.11 " + what).strip();
    }
}
