package dev.caisson.state;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// Names for containers that were given none: two words that can be told over a telephone.
final class MadeUpName {
    private static final List<String> FIRST = List.of(
            "able", "agile", "amber", "ample", "azure", "brave", "brief", "bright", "brisk", "broad", "calm", "candid",
            "clear", "clever", "cosy", "crisp", "deep", "deft", "dry", "eager", "early", "easy", "even", "fair", "fast",
            "fine", "firm", "fond", "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "hardy", "keen",
            "kind", "lively", "loyal", "lucid", "mellow", "merry", "mild", "modest", "neat", "noble", "patient",
            "plain", "polite", "prompt", "proud", "quick", "quiet", "rapid", "ready", "robust", "round", "silver",
            "smart", "solid", "steady", "swift", "tidy", "upright", "vivid", "warm", "wise");
    private static final List<String> SECOND = List.of(
            "albatross",
            "anchor",
            "anemone",
            "beacon",
            "bollard",
            "bridge",
            "buoy",
            "cable",
            "canal",
            "capstan",
            "clam",
            "cockle",
            "compass",
            "coral",
            "cormorant",
            "crab",
            "crane",
            "current",
            "cutter",
            "dolphin",
            "dune",
            "eider",
            "estuary",
            "ferry",
            "fjord",
            "gannet",
            "gull",
            "haddock",
            "halyard",
            "harbour",
            "heron",
            "herring",
            "island",
            "jetty",
            "keel",
            "kelp",
            "ketch",
            "lagoon",
            "lantern",
            "lighthouse",
            "limpet",
            "lobster",
            "mackerel",
            "mast",
            "mussel",
            "oar",
            "osprey",
            "otter",
            "pelican",
            "pier",
            "pilot",
            "plover",
            "puffin",
            "quay",
            "rudder",
            "sail",
            "schooner",
            "seal",
            "shoal",
            "skiff",
            "sloop",
            "sounding",
            "starfish",
            "tern",
            "tide",
            "turbot",
            "walrus",
            "wharf");
    private static final int PLAIN = 3;

    private MadeUpName() {}

    /// Returns a name; from the fourth try on one with a number, as most of those without may be taken.
    static String random(int tries) {
        var random = ThreadLocalRandom.current();
        String name = FIRST.get(random.nextInt(FIRST.size())) + "_" + SECOND.get(random.nextInt(SECOND.size()));
        return tries < PLAIN ? name : name + random.nextInt(1, 1_000_000);
    }
}
