package io.holdfast.storage.raft;

import java.nio.ByteBuffer;

/**
 * An entry of a group's log.
 *
 * @param index from 1, without gaps
 * @param term in which a leader made it; never below that of the entry before
 * @param bytes from position to limit; nobody moves these
 */
public record RaftEntry(long index, long term, ByteBuffer bytes) {}
