package dev.caisson.watch;

import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/// The calls that a program was seen to make against a profile, one of each kind.
final class LearnedCalls {
    /// A filter of the kernel's largest size has room for about four times as many.
    private static final int MOST_KINDS = 512;

    private final Profile profile;
    private final Target target;
    private final Explainer explainer;
    private final Map<DenialNotes.Kind, SeccompData> calls = new LinkedHashMap<>();
    private boolean more;

    LearnedCalls(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        explainer = new Explainer(profile, target);
    }

    synchronized void add(SeccompData call) {
        var kind = new DenialNotes.Kind(call.number(), call.arch(), explainer.examined(call));
        if (!calls.containsKey(kind)) {
            if (calls.size() < MOST_KINDS) {
                calls.put(kind, call);
            } else {
                more = true;
            }
        }
    }

    synchronized LearnedProfile profile() {
        LearnedProfile learned = LearnedProfile.of(profile, target, calls.values());
        if (!more) {
            return learned;
        }
        var refused = new ArrayList<>(learned.refused());
        refused.add("more kinds of calls than " + MOST_KINDS + ": learn again, under the profile that was learned");
        return new LearnedProfile(learned.profile(), learned.added(), learned.missing(), refused);
    }
}
