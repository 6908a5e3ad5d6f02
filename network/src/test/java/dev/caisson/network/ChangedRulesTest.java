package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.Bed.Guest;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Rules of our tables that somebody else has changed.
@Tag("root")
class ChangedRulesTest extends OnAHost {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "nft flush chain inet TABLE host",
                "nft insert rule inet TABLE host accept",
                "nft delete rule inet TABLE input handle $(nft -a list chain inet TABLE input | sed -n 's/.*goto host.*handle //p')",
                "nft flush chain bridge TABLE guest",
                "nft 'add table inet TABLE { flags dormant; }'"
            })
    void are_made_again_by_who_looks_and_by_the_next_start(String change) {
        Guest guest = bed.guest("bridge");
        bed.listen(bed.host, 7200);
        String before = rules();

        for (Runnable act : List.<Runnable>of(this::look, () -> bed.guest("bridge"))) {
            bed.host.sh(change.replace("TABLE", table()));
            assertThat(rules()).isNotEqualTo(before);

            act.run();

            assertThat(rules()).isEqualTo(before);
            assertThat(Bed.isClosed(guest.namespace(), guest.gateway(), 7200)).isTrue();
            assertThat(Bed.pings(guest.namespace(), guest.gateway())).isTrue();
        }
    }

    @Test
    void stay_as_they_are_if_only_tables_of_others_change() {
        bed.guest("bridge");
        bed.host.sh("nft add counter inet " + table() + " noted");
        bed.host.sh("nft 'table inet host { chain input { type filter hook input priority 0; }; }'");

        look();
        bed.guest("bridge");

        assertThat(bed.host.sh("nft list counters")).contains("noted"); // which goes when the table is made again
        assertThat(bed.host.sh("nft list tables")).contains("inet host");
    }

    private void look() {
        bed.<Void>on(all -> {
            all.recover(_ -> true);
            return null;
        });
    }

    private String table() {
        return bed.host.sh("nft list tables bridge").strip().split(" ", -1)[2];
    }

    /// Returns the chains of our tables, without the elements of sets.
    private String rules() {
        return bed.host.sh("for family in inet bridge; do nft -s -t list table $family " + table() + "; done");
    }
}
