package dev.caisson.cgroup;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;
import static org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder.request;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/// The program that runs test classes inside a virtual machine. Its last line of output tells the outcome.
final class GuestTests {
    private GuestTests() {}

    /// Runs the classes that it is given the names of, and single methods as `CLASS#METHOD`.
    public static void main(String[] tests) {
        var listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        request()
                                .selectors(Arrays.stream(tests)
                                        .map(GuestTests::select)
                                        .toList())
                                .filters(EngineFilter.includeEngines("junit-jupiter"))
                                .build(),
                        listener);
        var summary = listener.getSummary();
        try (var out = new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8)) {
            summary.printFailuresTo(out, 20);
            out.println(summary.getTestsSucceededCount() + " passed, " + summary.getTotalFailureCount() + " failed, "
                    + (summary.getTestsSkippedCount() + summary.getTestsAbortedCount()) + " skipped");
        }
        boolean good = summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() > 0;
        System.exit(good ? 0 : 1);
    }

    private static DiscoverySelector select(String test) {
        return test.indexOf('#') < 0 ? selectClass(test) : selectMethod(test);
    }
}
