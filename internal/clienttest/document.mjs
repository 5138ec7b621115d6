// A generic client that knows an API from nothing but the document that the server
// itself serves. openapi-client-axios, since it fetches the document, makes a function
// of each operationId and has three small dependencies.

import { createRequire } from 'node:module';
import { assert } from './promise.mjs';

const { OpenAPIClientAxios } = createRequire(import.meta.url)('openapi-client-axios');

/** Reads a document and returns a client of what it describes. Its server is a path: url is the whole. */
export async function open(document, url) {
  const api = new OpenAPIClientAxios({
    definition: document,
    axiosConfigDefaults: { validateStatus: () => true },
  });
  const client = await api.init();
  assert.ok(url.endsWith(api.document.servers[0].url), 'the document does not say where it is served');
  client.defaults.baseURL = url;
  return new Client(api, client);
}

class Client {
  constructor(api, client) {
    this.api = api;
    this.client = client;
    this.statuses = new Map(); // of each operation that was called
  }

  /** Calls an operation by its id and returns the answer, whatever its status. */
  async call(operationId, parameters = {}, body = undefined, headers = {}) {
    assert.ok(this.client[operationId], `the document has no operation ${operationId}`);
    const answer = await this.client[operationId](parameters, body, { headers });
    const seen = this.statuses.get(operationId) ?? [];
    this.statuses.set(operationId, [...seen, answer.status]);
    return answer;
  }

  /** Calls an operation that must answer with a status, and returns the answer's body. */
  async want(status, operationId, parameters, body, headers) {
    const answer = await this.call(operationId, parameters, body, headers);
    assert.equal(answer.status, status, `${operationId}: ${answer.status} ${JSON.stringify(answer.data)}`);
    return answer.data;
  }

  /** Returns the operations that are about keys. */
  keyOperations() {
    return this.api.getOperations().filter((operation) => operation.path.includes('/api-keys'));
  }

  /**
   * Fails unless every operation was called: it succeeded once, if the document says
   * that it may, and it was refused once, if it is about keys or may not succeed.
   * Operations named in never are those that nobody here may do.
   */
  wantAll(never = []) {
    const about = this.keyOperations();
    assert.ok(about.length > 0, 'the document has no operation about keys');
    for (const operation of this.api.getOperations()) {
      const { operationId } = operation;
      const seen = this.statuses.get(operationId) ?? [];
      const documented = Object.keys(operation.responses).some((status) => status < '300');
      const succeeds = documented && !never.includes(operationId);
      assert.ok(!succeeds || seen.some((status) => status < 300), `${operationId} never succeeded: ${seen}`);
      const refuses = !succeeds || about.includes(operation);
      assert.ok(!refuses || seen.some((status) => status >= 400), `${operationId} was never refused: ${seen}`);
    }
  }
}
