package dev.caisson.audit;

import java.util.List;
import java.util.Map;

/// A question that the audit asks of a subject. Id and name are stable; waivers may use either.
/// @param severity of a failure, unless the finding says otherwise
/// @param cis the recommendations of the CIS Docker Benchmark that it answers, by version
/// @param podSecurity the Pod Security Standard that a failure breaks: `baseline`, `restricted`, or empty
/// @param alike rules of other tools that ask the same
public record Check(
        String id,
        String name,
        Severity severity,
        Map<String, List<String>> cis,
        String podSecurity,
        List<String> alike,
        String title,
        String why,
        String fix) {}
