package io.holdfast.tools.pub;

/**
 * A message to publish.
 *
 * @param body its bytes, at least one; not copied
 * @param deferMs delay before the first delivery; 0 = none
 */
record InputMessage(byte[] body, long deferMs) {}
