<?php

/*
 * Authenticates against the simulated Splynx as PHP clients of Splynx do, with PHP's own HMAC, query builder and clock:
 * by a signature on each request, and by a token got with one.
 *
 *   php check.php http://127.0.0.1:PORT/
 *
 * Exits with 1 and a sentence when the simulator accepts what it must not, or refuses what it must accept.
 */

declare(strict_types=1);

const KEY = '0123456789abcdef0123456789abcdef';
const SECRET = 'fedcba9876543210fedcba9876543210';
const USER_AGENT = 'Splynx PHP API 2.0';

/** A nonce on the scale of PHP clients: hundredths of a second, and one more for each request of this client. */
final class Nonces
{
    private static int $last = 0;

    public static function next(): int
    {
        if (self::$last === 0) {
            self::$last = (int) round(microtime(true) * 100);
        }
        return ++self::$last;
    }
}

function signature(int $nonce, string $key = KEY, string $secret = SECRET): string
{
    return strtoupper(hash_hmac('sha256', $nonce . $key, $secret));
}

function signed(int $nonce, ?string $signature = null): string
{
    $parts = ['key' => KEY, 'signature' => $signature ?? signature($nonce), 'nonce' => $nonce];
    return 'Splynx-EA (' . http_build_query($parts) . ')';
}

function token(string $access): string
{
    return 'Splynx-EA (' . http_build_query(['access_token' => $access]) . ')';
}

/** One request; returns its status, its decoded body and its headers by lower-case name. */
function request(string $method, string $path, ?string $authorization, array $options = []): array
{
    $headers = ['Content-type: application/json', 'User-Agent: ' . ($options['agent'] ?? USER_AGENT)];
    if ($authorization !== null) {
        $headers[] = 'Authorization: ' . $authorization;
    }
    $query = isset($options['query']) ? '?' . http_build_query($options['query']) : '';
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => implode("\r\n", $headers),
        'content' => isset($options['body']) ? json_encode($options['body'], JSON_THROW_ON_ERROR) : '',
        'ignore_errors' => true,
        'timeout' => 5,
    ]]);
    $text = file_get_contents($GLOBALS['base'] . 'api/2.0/' . $path . $query, false, $context);
    expect($text !== false, "$method $path is answered");
    $found = [];
    foreach ($http_response_header as $line) {
        [$name, $value] = array_pad(explode(':', $line, 2), 2, '');
        $found[strtolower($name)] = trim($value);
    }
    $status = (int) explode(' ', $http_response_header[0])[1];
    return ['status' => $status, 'body' => json_decode($text, true), 'headers' => $found];
}

function expect(bool $holds, string $what, mixed $seen = null): void
{
    if (!$holds) {
        fwrite(STDERR, "the PHP client's check failed: $what" . ($seen === null ? '' : ': ' . json_encode($seen)) . "\n");
        exit(1);
    }
}

function expectStatus(int $status, array $answer, string $what): array
{
    expect($answer['status'] === $status, "$what is answered with $status", $answer);
    return $answer;
}

function expectRefused(array $answer, string $code, string $what): void
{
    expectStatus(401, $answer, $what);
    expect(($answer['body']['error']['internal_code'] ?? null) === $code, "$what is refused as $code", $answer['body']);
}

$base = $argv[1] ?? '';
expect(preg_match('#^http://.*/$#', $base) === 1, 'the first argument is the base URL with a slash at its end');
const CUSTOMERS = 'admin/customers/customer';

// The vector of the project's fact sheet, made outside PHP.
expect(
    signature(1542493076, 'API_KEY', 'API_SECRET') === '711A1D26625308F6170FEE9373DC3C418C85DB9598768871886B6B2FC2AF5B02',
    'PHP and the fact sheet agree on a signature',
);

// A signature on each request.
$first = Nonces::next();
$answer = expectStatus(200, request('GET', CUSTOMERS, signed($first), ['query' => ['limit' => 1]]), 'a signed request');
expect(count($answer['body']) === 1, 'the search returns one row', $answer['body']);
$where = ['main_attributes' => ['status' => ['IN', ['not_paid', 'paid']], 'customer_id' => 1], 'order' => ['id' => 'DESC']];
$answer = request('GET', 'admin/finance/invoices', signed(Nonces::next()), ['query' => $where]);
$rows = expectStatus(200, $answer, 'a search with nested conditions')['body'];
expect(count($rows) > 1 && $rows[0]['id'] > $rows[1]['id'], 'it is filtered and sorted', array_column($rows, 'id'));
$answer = request('HEAD', 'admin/finance/invoices', signed(Nonces::next()), ['query' => $where]);
expect(($answer['headers']['x-total-count'] ?? '') === (string) count($rows), 'HEAD counts the same rows', $answer);

// What must be refused, and moves no nonce.
$nonce = Nonces::next();
$tampered = signature($nonce);
$tampered[63] = $tampered[63] === '0' ? '1' : '0';
expectRefused(request('GET', CUSTOMERS, signed($nonce, $tampered)), 'UNAUTHORIZED', 'a tampered signature');
expectRefused(request('GET', CUSTOMERS, signed($nonce, signature($nonce + 1))), 'UNAUTHORIZED', "another nonce's signature");
expectRefused(request('GET', CUSTOMERS, signed($nonce, '')), 'UNAUTHORIZED', 'an empty signature');
expectRefused(request('GET', CUSTOMERS, signed($first)), 'UNAUTHORIZED', 'a nonce that was used');
expectRefused(request('GET', CUSTOMERS, signed($first - 1)), 'UNAUTHORIZED', 'a stale nonce');
expectRefused(request('GET', CUSTOMERS, null), 'MISSED_AUTHORIZATION_HEADER', 'no authorization');
expectStatus(200, request('GET', CUSTOMERS, signed($nonce)), 'the true signature of the same nonce');

// A token, got by a signature that leaves the secret at home.
$login = static function (int $nonce, string $signature): array {
    $body = ['auth_type' => 'api_key', 'key' => KEY, 'nonce' => $nonce, 'signature' => $signature];
    return request('POST', 'admin/auth/tokens', null, ['body' => $body]);
};
$nonce = Nonces::next();
expect($login($nonce, $tampered)['status'] === 401, 'a login with a tampered signature is refused');
$tokens = expectStatus(201, $login($nonce, signature($nonce)), 'a login')['body'];
expect($tokens['access_token_expiration'] > time() && isset($tokens['permissions']), 'the token is complete', $tokens);
expect($login($nonce, signature($nonce))['status'] === 401, 'a login with a stale nonce is refused');

$access = token($tokens['access_token']);
expectStatus(200, request('GET', CUSTOMERS . '/1', $access), 'a request with the token');
expectRefused(request('GET', CUSTOMERS . '/1', $access, ['agent' => 'curl/8']), 'USER_AGENT_CHANGED', 'a token of another agent');
$payment = [
    'customer_id' => 2, 'payment_type' => 5, 'receipt_number' => 'PHP-1', 'date' => date('Y-m-d'), 'amount' => '1.00',
    'comment' => 'PHP', 'field_1' => '', 'field_2' => '', 'field_3' => '', 'field_4' => '', 'field_5' => '',
];
$made = expectStatus(201, request('POST', 'admin/finance/payments', $access, ['body' => $payment]), 'a payment');
$found = ['main_attributes' => ['receipt_number' => 'PHP-1'], 'limit' => 1];
$rows = request('GET', 'admin/finance/payments', $access, ['query' => $found])['body'];
expect((int) $rows[0]['id'] === (int) $made['body']['id'], 'the payment is found by its receipt number', $rows);

$renewed = request('GET', 'admin/auth/tokens/' . $tokens['refresh_token'], null);
$renewed = expectStatus(200, $renewed, 'renewing the token')['body'];
expectStatus(204, request('DELETE', 'admin/auth/tokens/' . $renewed['refresh_token'], null), 'logging out');
expect(request('GET', CUSTOMERS . '/1', token($renewed['access_token']))['status'] === 401, 'after it the token is dead');

echo "PHP's signatures, nonces and tokens are accepted; tampered and stale ones are refused.\n";
