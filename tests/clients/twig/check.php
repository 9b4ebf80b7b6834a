<?php

/*
 * Renders the dashboard widgets of deploy/entry-points with the real Twig (Debian's php-twig), against objects shaped like
 * Splynx's, in every setting of Twig that a release of Splynx may have.
 *
 *   php check.php
 *
 * Exits with 1 and a sentence when a widget shows what it must not, or lacks what it must show.
 */

declare(strict_types=1);

require '/usr/share/php/Twig/autoload.php';

const HOSTILE = [
    '"><script>alert(1)</script>',
    "' onclick='alert(1)",
    '<b>&amp;</b>',
    '{{ 7 * 7 }}',
    'javascript:alert(1)//',
    "2026\u{202e}000001",
];

function expect(bool $holds, string $what, mixed $seen = null): void
{
    if (!$holds) {
        fwrite(STDERR, "the widgets' check failed: $what" . ($seen === null ? '' : ":\n$seen") . "\n");
        exit(1);
    }
}

/** A record as Yii hands it out: its fields come by magic. */
final class Record
{
    public function __construct(private array $fields)
    {
    }

    public function __get(string $name): mixed
    {
        return $this->fields[$name];
    }

    public function __isset(string $name): bool
    {
        return isset($this->fields[$name]);
    }
}

final class Loader
{
    public function __construct(private array $invoices, private array $requests)
    {
    }

    public function getInvoices(): array
    {
        return $this->invoices;
    }

    public function getRequests(): array
    {
        return $this->requests;
    }
}

/** Splynx's application: writes sums as the ISP wants them. */
final class App
{
    public array $asked = [];

    public function financeFormat(mixed $sum, bool $currency): string
    {
        $this->asked[] = $sum;
        return number_format((float) $sum, 2, ',', '.') . ($currency ? ' €' : '');
    }
}

function row(string $number, string $status, string $total): array
{
    return ['number' => $number, 'status' => $status, 'total' => $total, 'customer_id' => 1];
}

/** @return array<string, string> the Twig code of the widgets, by their names */
function widgets(): array
{
    $folder = dirname(__DIR__, 3) . '/deploy';
    $points = json_decode(file_get_contents("$folder/entry-points.json"), true, 16, JSON_THROW_ON_ERROR);
    $code = [];
    foreach ($points as $point) {
        if ($point['type'] === 'code') {
            $code[$point['name']] = file_get_contents("$folder/entry-points/{$point['code_file']}");
        }
    }
    return $code;
}

function render(string $code, array $scope, array $options): string
{
    // A name of its own: Twig keeps what it compiled by name and text, whatever the setting of the escaping.
    static $count = 0;
    $name = 'widget-' . ++$count . '.twig';
    $twig = new \Twig\Environment(new \Twig\Loader\ArrayLoader([$name => $code]), $options);
    return $twig->render($name, $scope);
}

/** The numbers that a click would pay, with the entry point each is paid by. */
function offered(string $html): array
{
    preg_match_all('/data-point="([^"]*)" data-number="([^"]*)"/', $html, $found, PREG_SET_ORDER);
    return array_map(static fn (array $it): array => [$it[1], html_entity_decode($it[2], ENT_QUOTES | ENT_HTML5)], $found);
}

$code = widgets();
expect(array_keys($code) === ['bitpay_pay_on_dashboard', 'bitpay_add_money_on_dashboard'], 'there are two widgets');

$invoices = [row('201801000001', 'not_paid', '1251.6100'), row('201801000002', 'paid', '30.0000'),
    row('201801000003', 'pending', '31.0000'), row('201801000004', 'deleted', '32.0000')];
$requests = [row('201801000001', 'not_paid', '60.0000'), row('201801000009', 'paid', '61.0000')];
foreach (HOSTILE as $number) {
    $invoices[] = row($number, 'not_paid', '1.0000');
    $requests[] = row($number, 'not_paid', '2.0000');
}
$wanted = array_merge(
    [['bitpay_pay_invoice_point', '201801000001']],
    array_map(static fn (string $number): array => ['bitpay_pay_invoice_point', $number], HOSTILE),
    [['bitpay_pay_request_point', '201801000001']],
    array_map(static fn (string $number): array => ['bitpay_pay_request_point', $number], HOSTILE),
);

$shapes = [
    'arrays' => static fn (array $row): array => $row,
    'objects' => static fn (array $row): object => (object) $row,
    'records' => static fn (array $row): Record => new Record($row),
];
$settings = 0;
foreach (['html', false, 'name'] as $autoescape) {
    foreach ([true, false] as $strict) {
        foreach ($shapes as $shape => $shaped) {
            $options = ['autoescape' => $autoescape, 'strict_variables' => $strict];
            $where = "$shape, " . json_encode($options);
            $app = new App();
            $scope = [
                'loader' => new Loader(array_map($shaped, $invoices), array_map($shaped, $requests)),
                'customer' => $shaped(['name' => HOSTILE[0], 'billing_type' => 'recurring', 'id' => 1]),
                'App' => $app,
            ];
            $html = render($code['bitpay_pay_on_dashboard'], $scope, $options);
            expect(offered($html) === $wanted, "exactly the unpaid documents can be paid, by their true numbers ($where)", $html);
            expect(str_contains($html, '1.251,61 €'), "sums are written by Splynx ($where)", $html);
            expect($app->asked[0] === '1251.6100' && count($app->asked) === count($wanted), "each sum once ($where)");
            foreach (['201801000002', '201801000003', '201801000004', '201801000009', '30,00', '61,00'] as $absent) {
                expect(!str_contains($html, $absent), "$absent is not shown ($where)", $html);
            }
            foreach (['<script>alert', "onclick='alert", '<b>', '>49<'] as $danger) {
                expect(!str_contains($html, $danger), "a hostile number stays text: $danger ($where)", $html);
            }
            expect(substr_count($html, '<script>') === 1, "there is one script, the widget's own ($where)", $html);

            foreach (['prepaid', 'prepaid_monthly', 'recurring'] as $billing) {
                $scope['customer'] = $shaped(['name' => HOSTILE[0], 'billing_type' => $billing, 'id' => 1]);
                $html = render($code['bitpay_add_money_on_dashboard'], $scope, $options);
                expect(str_contains($html, '<form class="form-inline" action="/bitpay/" method="post">'), "the form is there for $billing ($where)", $html);
                expect(preg_match('/<input[^>]* name="amount"[^>]* required>/', $html) === 1, "it asks for an amount ($where)", $html);
                expect(!str_contains($html, '<script'), "a hostile name stays text ($where)", $html);
            }
            $settings++;
        }
    }
}

// Nobody owes anything.
$scope = ['loader' => new Loader([], []), 'customer' => ['name' => 'Customer One', 'billing_type' => 'recurring'], 'App' => new App()];
$html = render($code['bitpay_pay_on_dashboard'], $scope, ['strict_variables' => true]);
expect(offered($html) === [] && str_contains($html, '</table>'), 'without documents the widget stands and is empty', $html);

echo "Twig shows what can be paid and nothing else, for hostile numbers too, in $settings settings.\n";
