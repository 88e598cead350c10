package io.holdfast.broker.queue;

/**
 * Where a channel stands after it was put to another position.
 *
 * @param id of the first message from there on; null at the end
 * @param timestampNs when that was published, ns since 1970; null at the end
 * @param ready messages that wait now
 * @param skipped unfinished messages that were given up
 */
public record Rewound(Long id, Long timestampNs, long ready, long skipped) {}
