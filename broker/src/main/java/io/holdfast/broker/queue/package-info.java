/** Topics and channels: what is published, kept, delivered, finished, and given back. */
package io.holdfast.broker.queue;
