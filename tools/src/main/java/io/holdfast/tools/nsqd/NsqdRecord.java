package io.holdfast.tools.nsqd;

import java.nio.ByteBuffer;

/**
 * A message as it stands in a disk queue of nsqd (PROTOCOL.md §3, §9).
 *
 * @param timestampNs publish time, ns since 1970
 * @param attempts deliveries so far
 * @param id 16 characters
 * @param body its bytes
 */
record NsqdRecord(long timestampNs, int attempts, String id, ByteBuffer body) {}
