package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Groups that share a parent: its ceiling, and their fair shares.
class TenantTest extends KernelTest {
    private static final String TENANT = PARENT + "/tenant";
    private static final String ON_ONE_CPU = "taskset -pc 0 $$ >/dev/null; ";

    @Test
    void the_containers_of_a_tenant_use_no_more_than_it_has() throws Exception {
        Cgroup tenant = hierarchy.createParent(
                TENANT, Limits.defaults().memory(Bytes.mebibytes(40)).pids(30));
        Cgroup one = hierarchy.create(TENANT, "one", SMALL);
        Cgroup two = hierarchy.create(TENANT, "two", SMALL);

        try (Inside first = Inside.start(one, "(head -c 24m /dev/zero; sleep 3) | tail > /dev/null")) {
            TimeUnit.MILLISECONDS.sleep(700);
            Inside.run(two, "head -c 24m /dev/zero | tail > /dev/null");
            first.status(); // either of the two may have been the victim
        }

        assertThat(one.events().oomKills() + two.events().oomKills()).isPositive();
        Usage.Memory memory = tenant.usage().memory().orElseThrow();
        assertThat(memory.peak().orElseThrow()).isBetween(Bytes.mebibytes(30), Bytes.mebibytes(40));
        assertThat(one.effectiveLimits().memory().effective()).isEqualTo(Bytes.mebibytes(32));
        assertThat(one.effectiveLimits().pids().isLoweredByAncestor()).isFalse();
    }

    @Test
    void a_stricter_tenant_is_the_limit_of_its_containers() throws Exception {
        hierarchy.createParent(
                TENANT, Limits.defaults().memory(Bytes.mebibytes(16)).pids(9));
        Cgroup one = hierarchy.create(TENANT, "one", SMALL);

        EffectiveLimits limits = one.effectiveLimits();
        try (Inside bomb = Inside.start(one, "(while :; do sleep 30 & done) 2>/dev/null; echo refused; wait")) {
            assertThat(bomb.line()).isEqualTo("refused");
            assertThat(one.usage().pids().orElseThrow().current()).isLessThanOrEqualTo(9);
        }

        assertThat(limits.memory().effective()).isEqualTo(Bytes.mebibytes(16));
        assertThat(limits.memory().holder()).endsWith(TENANT);
        assertThat(limits.pids().effective()).isEqualTo(9);
        assertThat(limits.pids().own()).isEqualTo(20);
    }

    @Test
    void a_tenants_share_can_be_changed() {
        hierarchy.createParent(TENANT, Limits.defaults().pids(9));
        hierarchy.create(TENANT, "one", SMALL);

        hierarchy.createParent(TENANT, Limits.defaults().pids(11));

        assertThat(hierarchy
                        .findParent(TENANT)
                        .orElseThrow()
                        .effectiveLimits()
                        .pids()
                        .own())
                .isEqualTo(11);
        assertThat(hierarchy.leftovers(TENANT)).containsExactly("one");
    }

    @Test
    void a_busy_neighbour_costs_no_more_than_its_share() throws Exception {
        double victim = shareAgainstEightLoops(Limits.DEFAULT_CPU_SHARES);

        assertThat(victim).isBetween(0.40, 0.60);
    }

    @Test
    void three_times_the_shares_are_three_times_the_cpu() throws Exception {
        double heavy = shareAgainstEightLoops(3 * Limits.DEFAULT_CPU_SHARES);

        assertThat(heavy).isBetween(0.65, 0.85);
    }

    /// The part of one CPU that a single loop gets beside a neighbour that runs eight.
    private double shareAgainstEightLoops(int shares) throws Exception {
        Cgroup victim = hierarchy.create(PARENT, "victim", SMALL.cpuShares(shares));
        Cgroup neighbour = hierarchy.create(PARENT, "neighbour", SMALL);
        String loop = "while :; do :; done";
        try (Inside one = Inside.start(victim, ON_ONE_CPU + "echo up; " + loop);
                Inside many = Inside.start(
                        neighbour, ON_ONE_CPU + "for i in 1 2 3 4 5 6 7; do (" + loop + ") & done; echo up; " + loop)) {
            assertThat(one.line()).isEqualTo("up");
            assertThat(many.line()).isEqualTo("up");
            Duration victimBefore = victim.usage().cpu().total();
            Duration neighbourBefore = neighbour.usage().cpu().total();
            TimeUnit.SECONDS.sleep(3);
            double mine = victim.usage().cpu().total().minus(victimBefore).toNanos();
            double theirs =
                    neighbour.usage().cpu().total().minus(neighbourBefore).toNanos();
            neighbour.kill();
            victim.kill();
            return mine / (mine + theirs);
        }
    }
}
