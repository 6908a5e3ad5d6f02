package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.network.Attachment;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.ExtraHost;
import dev.caisson.spec.Gate;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortText;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.text.AddressText;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a plan has for a container's networks, and what the policy refuses of them.
class NetworkPlanTest {
    private static final ContainerSpec SPEC = Samples.spec()
            .hostName("front")
            .network(Network.on("web")
                    .and(NetworkEndpoint.on("back"))
                    .names(new NameLookup(
                            List.of(), List.of(), List.of("ndots:2"), List.of(ExtraHost.parse("db:192.0.2.7")))));

    private static Optional<String> file(LaunchPlan plan, String path) {
        return plan.all(Step.WriteFile.class).stream()
                .filter(write -> write.path().equals(InRootPath.of(path)))
                .map(Step.WriteFile::content)
                .findFirst();
    }

    @Test
    void the_container_finds_itself_and_its_further_hosts() {
        assertThat(file(Samples.plan(SPEC, Samples.networks()), "etc/hosts")).hasValue("""
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            192.0.2.7\tdb
            172.20.0.7\tfront www
            fd00:20::7\tfront www
            10.9.0.7\tfront
            """);
    }

    @Test
    void a_link_is_a_line_of_hosts_and_the_variables_of_its_ports() {
        GuestNetwork known = Samples.networks();
        var db = new Attachment.Linked(
                new ContainerId("cd".repeat(32)),
                "shop-db",
                "my-db",
                AddressText.parse("172.20.0.9"),
                AddressText.parse("fd00:20::9"),
                List.of(
                        PortText.ports("5432/udp").getFirst(),
                        PortText.ports("443").getFirst()));
        List<Attachment> linked = List.of(
                known.attachments().getFirst().links(List.of(db)),
                known.attachments().getLast());
        LaunchPlan plan = Samples.plan(
                SPEC.environment("MY_DB_PORT_443_TCP_ADDR", "own"),
                new GuestNetwork(linked, known.host(), true, false));

        assertThat(file(plan, "etc/hosts").orElseThrow()).contains("""
                        192.0.2.7\tdb
                        172.20.0.9\tmy-db cdcdcdcdcdcd shop-db
                        fd00:20::9\tmy-db cdcdcdcdcdcd shop-db
                        """);
        assertThat(plan.only(Step.Execute.class).environment())
                .filteredOn(variable -> variable.startsWith("MY_DB"))
                .containsExactly(
                        "MY_DB_NAME=/www/my-db",
                        "MY_DB_PORT=tcp://172.20.0.9:443",
                        "MY_DB_PORT_443_TCP=tcp://172.20.0.9:443",
                        "MY_DB_PORT_443_TCP_ADDR=own",
                        "MY_DB_PORT_443_TCP_PORT=443",
                        "MY_DB_PORT_443_TCP_PROTO=tcp",
                        "MY_DB_PORT_5432_UDP=udp://172.20.0.9:5432",
                        "MY_DB_PORT_5432_UDP_ADDR=172.20.0.9",
                        "MY_DB_PORT_5432_UDP_PORT=5432",
                        "MY_DB_PORT_5432_UDP_PROTO=udp");
    }

    @Test
    void the_container_asks_the_servers_of_the_host_unless_others_are_named() {
        assertThat(file(Samples.plan(SPEC, Samples.networks()), "etc/resolv.conf"))
                .hasValue("nameserver 192.0.2.53\nsearch example.com\noptions ndots:2\n");

        ContainerSpec own = SPEC.network(Network.on("web")
                .and(NetworkEndpoint.on("back"))
                .names(new NameLookup(
                        List.of(AddressText.parse("198.51.100.1").orElseThrow()), List.of("."), List.of(), List.of())));
        assertThat(file(Samples.plan(own, Samples.networks()), "etc/resolv.conf"))
                .hasValue("nameserver 198.51.100.1\n");
    }

    @Test
    void a_volume_over_these_files_is_left_as_it_is() {
        ContainerSpec covered = SPEC.allow(Allowance.HOST_PATHS)
                .mount(new Mount.Bind(Path.of("/usr/lib/os-release"), InRootPath.of("etc/resolv.conf"), true, true));

        assertThat(file(Samples.plan(covered, Samples.networks()), "etc/resolv.conf"))
                .isEmpty();
    }

    @Test
    void a_container_is_not_planned_with_fewer_networks_than_it_joins() {
        assertThatThrownBy(() -> Samples.plan(SPEC, Samples.host())).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> Samples.plan(Samples.spec(), Samples.networks()))
                .isInstanceOf(RefusedException.class);
    }

    @Test
    void a_container_of_loopback_alone_has_none_of_it() {
        LaunchPlan plan = Samples.plan();

        assertThat(plan.links()).isEmpty();
        assertThat(file(plan, "etc/resolv.conf")).isEmpty();
        assertThat(file(plan, "etc/hosts").orElseThrow()).endsWith("127.0.0.1\t0123456789ab\n");
    }

    @Test
    void the_variables_of_a_link_of_ipv6_alone_have_that_address() {
        GuestNetwork known = Samples.networks();
        var db = new Attachment.Linked(
                new ContainerId("cd".repeat(32)),
                "shop-db",
                "my.db-1",
                Optional.empty(),
                AddressText.parse("fd00:20::9"),
                List.of(PortText.ports("443").getFirst()));
        List<Attachment> linked = List.of(
                known.attachments().getFirst().links(List.of(db)),
                known.attachments().getLast());

        assertThat(Samples.plan(SPEC, new GuestNetwork(linked, known.host(), true, false))
                        .only(Step.Execute.class)
                        .environment())
                .contains("MY_DB_1_PORT=tcp://[fd00:20::9]:443");
    }

    @Test
    void a_gate_needs_its_host_on_the_list_of_what_the_container_may_send_to() {
        Network.Joined open = Network.on("web").gates(List.of(Gate.of("key").to("api.example.com")));
        Network listed = open.egress(Egress.only("api.example.com:443"));

        assertThatThrownBy(() -> Samples.plan(Samples.spec().network(open), Samples.networks()))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        e -> assertThat(e.findings()).extracting(Finding::code).containsExactly("GATE_REFUSED"));
        assertThat(Samples.approve(Samples.spec().network(listed), Samples.host())
                        .spec()
                        .network())
                .isEqualTo(listed);
    }

    @Test
    void each_link_is_settled() {
        assertThat(Samples.plan(SPEC, Samples.networks()).links())
                .extracting(Link::host, Link::bridge, Link::guest, Link::guestIndex, Link::mtu, Link::isolated)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("cv0123456789ab", "cn0123456789", "eth0", 100, 1500, false),
                        org.assertj.core.groups.Tuple.tuple("cv0123456789cd", "cnabcdefabcd", "eth1", 101, 1400, true));
    }

    @Test
    void a_link_takes_no_address_that_was_not_given_to_it() {
        List<String> settings = Samples.plan(SPEC, Samples.networks()).all(Step.SetSysctl.class).stream()
                .map(set -> set.name().relative() + "=" + set.value())
                .toList();

        assertThat(settings)
                .contains(
                        "net/ipv6/conf/eth0/accept_ra=0",
                        "net/ipv6/conf/eth0/autoconf=0",
                        "net/ipv6/conf/eth1/disable_ipv6=1");
        var old = new GuestNetwork(Samples.networks().attachments(), ResolverFile.EMPTY, false, false);
        assertThat(Samples.plan(SPEC, old).all(Step.SetSysctl.class))
                .as("on a kernel without IPv6")
                .noneMatch(set -> set.name().relative().contains("ipv6"));
    }

    @Test
    void a_written_plan_has_its_links() {
        LaunchPlan plan = Samples.plan(SPEC, Samples.networks());

        assertThat(PlanRecord.of(plan).plan().links()).isEqualTo(plan.links());
        assertThat(plan.idle().links()).isEqualTo(plan.links());
    }

    @Test
    void a_hosts_resolver_file_is_read_without_what_cannot_be_reached() {
        ResolverFile read = ResolverFile.parse("""
            # comment
            nameserver 127.0.0.53
            nameserver ::1
            nameserver fe80::1%eth0
            nameserver fe80::1
            nameserver 0.0.0.0
            nameserver 192.0.2.53
            nameserver 2001:db8::53 # two
            nameserver
            nameserver broken
            domain one.example
            search two.example three.example
            options edns0 ndots:1
            sortlist 192.0.2.0
            """);

        assertThat(read.text()).isEqualTo("""
            nameserver 192.0.2.53
            nameserver 2001:db8::53
            search two.example three.example
            options edns0 ndots:1
            """);
        assertThat(ResolverFile.parse("").text()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "host, OPTIONS_CONTRADICT",
        "none, OPTIONS_CONTRADICT",
        "container:web, OPTIONS_CONTRADICT",
        "../web, NETWORK_NAME",
        "-web, NETWORK_NAME",
        "we b, NETWORK_NAME"
    })
    void networks_that_are_none_are_refused(String network, String code) {
        assertThat(Samples.check(Samples.spec().network(Network.on(network)), Samples.host()))
                .singleElement()
                .extracting(Finding::code)
                .isEqualTo(code);
    }

    @Test
    void a_port_of_the_host_is_published_once() {
        Network.Joined web = Network.on("web");
        assertThat(Samples.check(
                        Samples.spec().network(publishing(web, "8080:80", "8080:80/udp", "80", "80")), Samples.host()))
                .isEmpty();
        assertThat(Samples.check(Samples.spec().network(publishing(web, "8080:80", "8080:81")), Samples.host()))
                .singleElement()
                .extracting(Finding::code)
                .isEqualTo("OPTIONS_CONTRADICT");
    }

    @Test
    void a_container_with_names_asks_its_resolver_over_sockets_of_its_own() {
        GuestNetwork known = Samples.networks();
        var named = new GuestNetwork(known.attachments(), known.host(), known.ipv6(), true);

        assertThat(Samples.plan(SPEC, known).all(Step.Resolver.class)).isEmpty();
        assertThat(known.resolver(SPEC)).contains("nameserver 192.0.2.53");
        assertThat(Samples.plan(SPEC, named).all(Step.Resolver.class)).hasSize(1);
        assertThat(named.resolver(SPEC)).isEqualTo("nameserver 127.0.0.11\nsearch example.com\noptions ndots:2\n");
    }

    private static Network publishing(Network.Joined network, String... ports) {
        Network.Joined all = network;
        for (String port : ports) {
            all = all.publish(PortText.mappings(port).getFirst());
        }
        return all;
    }

    @Test
    void more_ports_than_a_container_can_publish_are_refused() {
        assertThat(new PublishedPorts(PortText.mappings("1-1024"), List.of(), false).mappings())
                .hasSize(1024);
        assertThatThrownBy(() -> new PublishedPorts(PortText.mappings("1-1024"), List.of(), false)
                        .and(PortText.mappings("80").getFirst()))
                .hasMessageContaining("1024");
    }

    @Test
    void one_in_the_network_of_another_has_its_files_and_sets_nothing_up() {
        LaunchPlan other = Samples.plan(SPEC, Samples.networks());
        OtherNetwork shared = OtherNetwork.of(new ContainerId("ab".repeat(32)), other);
        ContainerSpec spec = Samples.spec().network(Network.ofContainer("front"));
        LaunchPlan plan = Samples.plan(spec, GuestNetwork.of(shared));

        assertThat(file(plan, "etc/hosts")).isPresent().isEqualTo(file(other, "etc/hosts"));
        assertThat(file(plan, "etc/resolv.conf")).isPresent().isEqualTo(file(other, "etc/resolv.conf"));
        assertThat(plan.only(Step.SetHostName.class).name()).isEqualTo("front");
        assertThat(plan.all(Step.SetSysctl.class))
                .extracting(step -> step.name().toString())
                .noneMatch(name -> name.contains("net"));
        assertThat(plan.has(Step.RaiseLoopback.class) || plan.has(Step.Netlink.class))
                .isFalse();
        assertThat(plan.sharesNetwork()).isTrue();
        assertThat(plan.namespaces()).contains(Namespace.NETWORK);
        assertThat(plan.madeNamespaces())
                .doesNotContain(Namespace.NETWORK)
                .hasSize(plan.namespaces().size() - 1);
        assertThat(other.madeNamespaces()).isEqualTo(other.namespaces());
        assertThat(PlanText.lines(plan).toString())
                .contains(
                        "own user mount pid ipc uts cgroup time namespaces; the network namespace of another container")
                .doesNotContain("loopback up");
    }

    @Test
    void the_network_of_another_is_given_to_who_asks_for_it_alone() {
        OtherNetwork other = OtherNetwork.of(new ContainerId("ab".repeat(32)), Samples.plan(SPEC, Samples.networks()));
        assertThatThrownBy(() -> Samples.plan(Samples.spec(), GuestNetwork.of(other)))
                .isInstanceOf(RefusedException.class);
        ContainerSpec asking = Samples.spec().network(Network.ofContainer("front"));
        assertThatThrownBy(() -> Samples.plan(asking, GuestNetwork.NONE)).isInstanceOf(RefusedException.class);
    }

    @Test
    void one_in_the_network_of_the_host_makes_none_sets_nothing_up_and_is_kept_from_abstract_sockets() {
        ContainerSpec spec = Samples.spec().network(Network.ofHost()).allow(Allowance.HOST_NETWORK);
        GuestNetwork network = GuestNetwork.ofHost(ResolverFile.parse("nameserver 192.0.2.53\n"));
        LaunchPlan plan = Samples.plan(spec, network);

        assertThat(plan.usesHostNetwork()).isTrue();
        assertThat(plan.sharesNetwork()).isFalse();
        assertThat(plan.namespaces()).doesNotContain(Namespace.NETWORK).isEqualTo(plan.madeNamespaces());
        assertThat(plan.all(Step.SetSysctl.class))
                .extracting(step -> step.name().toString())
                .noneMatch(name -> name.contains("net"));
        assertThat(plan.has(Step.RaiseLoopback.class) || plan.has(Step.Netlink.class))
                .isFalse();
        assertThat(plan.only(Step.RestrictScope.class)).isEqualTo(new Step.RestrictScope(3));
        assertThat(file(plan, "etc/resolv.conf")).hasValue("nameserver 192.0.2.53\n");
        assertThat(file(plan, "etc/hosts").orElseThrow())
                .contains("127.0.0.1\t" + plan.only(Step.SetHostName.class).name());
        assertThat(PlanText.lines(plan).toString()).contains("the network namespace of the host");
        ExecPlan exec = ExecPlan.of(
                plan,
                new ExecPlan.Program(List.of("id"), "/bin", List.of(), "/", Optional.empty(), 0, 0, List.of()),
                Optional.empty());
        assertThat(exec.steps()).contains(new Step.RestrictScope(1));
        assertThatThrownBy(() -> Samples.plan(spec, GuestNetwork.NONE)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> Samples.plan(Samples.spec(), network)).isInstanceOf(RefusedException.class);
    }

    @Test
    void the_network_of_the_host_is_allowed_by_name_and_only_where_abstract_sockets_can_be_kept_away() {
        ContainerSpec asking = Samples.spec().network(Network.ofHost());
        assertThat(Samples.check(asking, Samples.host()))
                .singleElement()
                .satisfies(finding -> assertThat(finding.code()).isEqualTo("ALLOWANCE_NEEDED"))
                .satisfies(finding -> assertThat(finding.sentence()).endsWith("--allow host-network"));
        ContainerSpec allowed = asking.allow(Allowance.HOST_NETWORK);
        assertThat(Samples.check(allowed.hostName("own"), Samples.host())).isEmpty();
        assertThat(Samples.check(allowed.sysctl("net/core/somaxconn", "1"), Samples.host()))
                .singleElement()
                .satisfies(finding -> assertThat(finding.sentence()).contains("net.core.somaxconn"));
        assertThat(Samples.check(allowed.allow(Allowance.NEW_PRIVILEGES).newPrivileges(true), Samples.host()))
                .extracting(Finding::code)
                .containsExactly("OPTIONS_CONTRADICT");
        GuestNetwork network = GuestNetwork.ofHost(ResolverFile.EMPTY);
        assertThatThrownBy(() -> Samples.plan(allowed, network, Samples.host(5)))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.code()).isEqualTo("HOST_NETWORK_UNPROTECTED"));
    }

    @Test
    void one_in_the_network_of_another_sets_none_of_it() {
        ContainerSpec asking = Samples.spec().network(Network.ofContainer("front"));
        assertThat(Samples.check(asking, Samples.host())).isEmpty();
        assertThat(Samples.check(
                        asking.hostName("own")
                                .sysctl("net.ipv4.ip_forward", "1")
                                .sysctl("net/core/somaxconn", "1")
                                .sysctl("kernel.msgmax", "100"),
                        Samples.host()))
                .hasSize(3)
                .allMatch(finding -> finding.code().equals("OPTIONS_CONTRADICT"));
    }

    @Test
    void the_host_has_names_where_its_services_are_reached() {
        ContainerSpec spec = SPEC.network(((Network.Joined) SPEC.network())
                .hostServices(HostServices.of("5432").named(List.of("db.host"))));
        assertThat(Samples.check(spec, Samples.host()))
                .singleElement()
                .extracting(Finding::code)
                .isEqualTo("ALLOWANCE_NEEDED");
        assertThat(Samples.check(spec.allow(Allowance.HOST_SERVICES), Samples.host()))
                .isEmpty();
        assertThat(file(Samples.plan(spec.allow(Allowance.HOST_SERVICES), Samples.networks()), "etc/hosts")
                        .orElseThrow())
                .contains("172.20.0.1\thost.docker.internal db.host\n")
                .doesNotContain("10.9.0.1\t");
        assertThat(file(Samples.plan(SPEC, Samples.networks()), "etc/hosts").orElseThrow())
                .doesNotContain("host.docker.internal");
    }
}
