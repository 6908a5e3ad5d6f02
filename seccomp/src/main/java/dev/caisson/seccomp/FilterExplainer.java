package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// Explains what a filter decides whose profile nobody knows, as far as its instructions and the table of
/// calls tell.
public final class FilterExplainer implements CallExplainer {
    /// A filter can allow a call in so many ways that nobody reads them all.
    private static final int MOST_WAYS = 4;

    private final Filter filter;

    public FilterExplainer(Filter filter) {
        this.filter = filter;
    }

    @Override
    public Explanation explain(SeccompData data) {
        List<String> reasons = reasons(data);
        return new Explanation(CallText.of(data), filter.decide(data), reasons, reasons);
    }

    @Override
    public List<Long> examined(SeccompData data) {
        return Simulator.examined(filter, data);
    }

    private List<String> reasons(SeccompData data) {
        var reasons = new ArrayList<String>();
        SyscallTable.get()
                .byName(CallText.name(data))
                .ifPresentOrElse(
                        call -> {
                            ways(data, reasons);
                            capabilities(call.name(), reasons);
                            reasons.add("it is of the group " + call.group()
                                    + (call.note().isEmpty() ? "" : "; its risk: " + call.note()));
                        },
                        () -> reasons.add("no call has this number"));
        return reasons;
    }

    private void ways(SeccompData data, List<String> reasons) {
        List<String> ways = Paths.of(filter, data.arch(), data.number()).stream()
                .filter(path -> path.action().kind() == Action.Kind.ALLOW)
                .map(path -> String.join(
                        " and ",
                        path.decisive().stream().map(WordTest::toString).toList()))
                .distinct()
                .toList();
        if (ways.isEmpty()) {
            reasons.add("no arguments make the filter allow this call");
        }
        ways.stream()
                .limit(MOST_WAYS)
                .forEach(way -> reasons.add(
                        way.isEmpty()
                                ? "the filter allows this call, whatever its arguments are"
                                : "the filter allows it where " + way));
        if (ways.size() > MOST_WAYS) {
            reasons.add("and in " + (ways.size() - MOST_WAYS) + " other cases, see 'caisson seccomp explain'");
        }
    }

    /// The known profiles give a call to the same capabilities.
    private static void capabilities(String name, List<String> reasons) {
        var capabilities = new TreeSet<String>();
        for (Rule rule : Profile.standard().rules()) {
            if (rule.action().kind() == Action.Kind.ALLOW && rule.names().contains(name)) {
                capabilities.addAll(rule.includes().capabilities());
            }
        }
        if (!capabilities.isEmpty()) {
            reasons.add("Caisson's default profile allows it to containers with " + String.join(" or ", capabilities));
        }
    }
}
