// npm's oidc-provider (certified) with a client for a server and one for the command line; prints its address.
// node provider.mjs REDIRECT_URI [thin]
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(address, {
    clients: [
      { client_id: 'book', client_secret: 'secret-of-the-book', redirect_uris: [process.argv[2]] },
      {
        client_id: 'cli',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        redirect_uris: [],
        response_types: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    conformIdTokenClaims: process.argv[3] === 'thin',
    features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, groups: ['lab'] }) }),
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  console.log(address);
});
process.stdin.on('end', () => process.exit(0)).resume();
