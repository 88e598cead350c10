package io.holdfast.broker.history;

/**
 * What one interval of the history shows. Immutable.
 *
 * @param timeMs its end, since 1970
 * @param published messages a second
 * @param publishedBytes bytes a second
 * @param finished messages a second, over all channels; so are requeued and timedOut
 * @param depth at the end; so are inFlight, deferred, diskFreeBytes and memoryUsedBytes
 * @param publishP50 seconds from a publish to its OK; null when there was none
 * @param publishP99 the same of the slowest hundredth
 * @param syncP99 seconds that one force took; null when there was none
 */
public record Row(
    long timeMs,
    double published,
    double publishedBytes,
    double finished,
    double requeued,
    double timedOut,
    long depth,
    long inFlight,
    long deferred,
    Double publishP50,
    Double publishP99,
    Double syncP99,
    long diskFreeBytes,
    long memoryUsedBytes) {}
